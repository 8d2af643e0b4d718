import { resolve } from 'node:path';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import type { RunCommand } from './bundle-command.js';
import type { CliContext } from './context.js';
import { exitCodes } from './exit-codes.js';
import { parseMoment } from './moment.js';
import type { SimulateOptions } from './simulate-command.js';

type Finish = (exitCode: number) => void;

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

function sinceOption({ clock }: CliContext, usual = '24h'): Option {
  const toMoment = (text: string) => parseMoment(text, clock.now().wallMs);
  return new Option('--since <time>', 'from when on: 2h (ago), 14:30, 2026-11-27T14:30')
    .argParser(toMoment)
    .default(toMoment(usual), usual);
}

function addExplanations(program: Command, context: CliContext, finish: Finish): void {
  const { wallMs } = context.clock.now();
  const toMoment = (text: string) => parseMoment(text, wallMs);
  program
    .command('explain')
    .description('tell why pilots are started or not: each gate with its numbers')
    .option('--at <time>', 'at an earlier moment: 2h (ago), 14:30, 2026-11-27T14:30', toMoment)
    .option('--json', 'as JSON')
    .action(async (_own: unknown, command: Command) => {
      const { explain } = await import('./explain-command.js');
      finish(await explain(context, command.optsWithGlobals()));
    });
  program
    .command('history')
    .description('tell what happened: pilots, images, configurations, faults')
    .addOption(sinceOption(context))
    .option('--json', 'as JSON, one object a line')
    .action(async (_own: unknown, command: Command) => {
      const { showHistory } = await import('./history-command.js');
      finish(await showHistory(context, command.optsWithGlobals()));
    });
}

function addTrace(program: Command, context: CliContext, finish: Finish): void {
  const { wallMs } = context.clock.now();
  program
    .command('trace')
    .description('tell which pilot was behind an address, a host name or a process, from which image and configuration')
    .argument('<what>', 'address, host name, process id, or pilot')
    .option('--at <time>', 'at that time: 2h (ago), 14:30, 2026-11-27T14:30', (text) => parseMoment(text, wallMs))
    .option('--json', 'as JSON')
    .action(async (what: string, _own: unknown, command: Command) => {
      const { trace } = await import('./trace-command.js');
      finish(await trace(context, { ...command.optsWithGlobals(), what }));
    });
}

function addReport(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('report')
    .description('tell what this host has given to pilots, and what became of them')
    .addOption(sinceOption(context, '30d'))
    .addOption(new Option('--csv', 'as CSV, one pilot a line').conflicts('json'))
    .option('--json', 'as JSON')
    .action(async (_own: unknown, command: Command) => {
      const { showReport } = await import('./report-command.js');
      finish(await showReport(context, command.optsWithGlobals()));
    });
}

/** What shows pilots themselves, or runs one. */
function addPilotViews(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('ps')
    .description('list the pilots, the newest first')
    .option('--json', 'as JSON')
    .action(async (_own: unknown, command: Command) => {
      const { listPilots } = await import('./ps-command.js');
      finish(await listPilots(context, command.optsWithGlobals()));
    });
  program
    .command('top')
    .description('show the daemon and its pilots as they change; lines, where that is no terminal')
    .action(async (_own: unknown, command: Command) => {
      const { showTop } = await import('./top-command.js');
      finish(await showTop(context, command.optsWithGlobals()));
    });
  program
    .command('try [command...]')
    .description(
      'run one pilot just as the daemon would, outside the cap, and show what it writes; exit code as its own',
    )
    .addHelpText('after', '\nExample: planctonctl try -- sh -c "id; nproc; df -h" runs this instead of docker_cmd.')
    .action(async (words: readonly string[], _own: unknown, command: Command) => {
      const { tryOut } = await import('./try-command.js');
      finish(await tryOut(context, { ...command.optsWithGlobals(), command: words }));
    });
  program
    .command('post-mortem [name]')
    .description('tell what is left of pilots that failed or were evicted, the end of their logs too')
    .option('--json', 'as JSON')
    .action(async (pilot: string | undefined, _own: unknown, command: Command) => {
      const { showPostMortems } = await import('./post-mortem-command.js');
      finish(await showPostMortems(context, { ...command.optsWithGlobals(), pilot }));
    });
  program
    .command('logs [pilot]')
    .description('print what a pilot has written, or all of them; a pilot goes by its name, the end of it, or its id')
    .option('-f, --follow', 'go on as they write, and with those that are started meanwhile')
    .addOption(new Option('-n, --tail <lines>', 'so many lines of each at first').argParser(toCount).default(20))
    .action(async (pilot: string | undefined, _own: unknown, command: Command) => {
      const { showLogs } = await import('./logs-command.js');
      finish(await showLogs(context, { ...command.optsWithGlobals(), pilot }));
    });
}

/** What helps where something is wrong. */
function addHelpers(program: Command, context: CliContext, finish: Finish, run: RunCommand): void {
  program
    .command('doctor')
    .description('look at everything that pilots need, and say how to mend what is wrong')
    .option('--json', 'as JSON')
    .action(async (_own: unknown, command: Command) => {
      const { runDoctor } = await import('./doctor/doctor-command.js');
      finish(await runDoctor(context, command.optsWithGlobals()));
    });
  program
    .command('metrics')
    .description('print the figures of the daemon for Prometheus, or leave them for node_exporter')
    .option('--textfile <file>', 'leave them in this file, whole or not at all', (file) => resolve(file))
    .action(async (_own: unknown, command: Command) => {
      const { showMetrics } = await import('./metrics-command.js');
      finish(await showMetrics(context, command.optsWithGlobals()));
    });
  program
    .command('bundle [file]')
    .description('write what a bug report needs into one file, without secrets')
    .action(async (file: string | undefined, _own: unknown, command: Command) => {
      const { writeBundle } = await import('./bundle-command.js');
      finish(await writeBundle(context, { ...command.optsWithGlobals(), file }, run));
    });
}

function addSimulate(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('simulate [scenario]')
    .description('tell what the daemon would have done with a load; needs no engine and no daemon')
    .option(
      '--journal',
      'with what this host went through, instead of a scenario: as it was, as simulated, and with --config',
    )
    .addOption(sinceOption(context).implies({ journal: true }))
    .addOption(new Option('--policy <policy>', 'instead of the one configured').choices(['capacity', 'legacy']))
    .option('--config <file>', 'a configuration file, instead of `config` in the scenario')
    .option('--json', 'as JSON')
    .action(
      async (file: string | undefined, options: SimulateOptions & { readonly journal?: true }, command: Command) => {
        if ((file === undefined) !== (options.journal === true))
          command.error('error: give a scenario, or --journal for what this host went through');
        if (file === undefined) {
          const { replay } = await import('./replay-command.js');
          finish(await replay(context, command.optsWithGlobals()));
          return;
        }
        const { runSimulation } = await import('./simulate-command.js');
        finish(await runSimulation(context, file, options));
      },
    );
}

function addCompletion(program: Command, context: CliContext, finish: Finish): void {
  program
    .command('completion')
    .description('print a script that has your shell complete commands, options and pilots')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const [{ completionScript }, { readCommandTree }] = await Promise.all([
        import('./completion.js'),
        import('./command-tree.js'),
      ]);
      context.out(completionScript(shell, readCommandTree(program)).trimEnd());
      finish(exitCodes.ok);
    });
}

/** Adds the commands that look, explain and help; each loads what it needs when it is called. `run`: another command line of this program. */
export function addInsight(program: Command, context: CliContext, finish: Finish, run: RunCommand): void {
  addExplanations(program, context, finish);
  addReport(program, context, finish);
  addTrace(program, context, finish);
  addPilotViews(program, context, finish);
  addHelpers(program, context, finish, run);
  addSimulate(program, context, finish);
  addCompletion(program, context, finish);
}
