import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { recordingContext, type RecordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

/** A user without root's rights, whose home is empty. */
function aUser(): RecordingContext {
  return recordingContext({ uid: 1000, home: tempDirectory() });
}

describe('the command line', () => {
  it('names the help on stderr and ends with 64 for a verb that does not exist', async () => {
    const context = aUser();
    expect(await runProgram(context, ['statu'])).toBe(64);
    expect(context.stderr.join('\n')).toBe(
      "error: unknown command 'statu'\n(Did you mean status?)\n(see planctonctl --help)",
    );
    expect(context.stdout).toEqual([]);
  });

  it.each([
    [['start', '--frobnicate']],
    [['--log-format=xml', 'status']],
    [['drain', 'now']],
    [['--rundir']],
    [['status', '--rundir=']],
    [['--confdir', '', 'status']],
  ])('ends with 64 for %j', async (args) => {
    const context = aUser();
    expect(await runProgram(context, args)).toBe(64);
    expect(context.stderr.join('\n')).toMatch(/^error: [^]*\(see planctonctl --help\)$/);
    expect(context.stderr.join('\n').split('\n').length).toBeLessThan(4);
  });

  it('shows the usage on stderr and ends with 64 for no verb at all', async () => {
    const context = aUser();
    expect(await runProgram(context, [])).toBe(64);
    expect(context.stderr.join('\n')).toContain('Usage: planctonctl');
  });

  it.each([[['help']], [['--help']], [['help', 'start']], [['start', '--help']]])(
    'shows help on stdout and ends with 0 for %j',
    async (args) => {
      const context = aUser();
      expect(await runProgram(context, args)).toBe(0);
      expect(context.stdout.join('\n')).toMatch(/Usage: planctonctl[^]*--confdir/);
      expect(context.stderr).toEqual([]);
    },
  );

  it('has every verb in its help', async () => {
    const context = aUser();
    await runProgram(context, ['help']);
    const verbs =
      'start force-start stop force-stop status nodaemon drain drain-stop resume help reload simulate version';
    for (const verb of verbs.split(' ')) expect(context.stdout.join('\n')).toMatch(new RegExp(`^ {2}${verb}\\b`, 'm'));
  });

  it.each([[['help', 'frob']], [['config', 'help', 'frob']]])('says what is wrong with %j', async (args) => {
    const context = aUser();
    expect(await runProgram(context, args)).toBe(64);
    expect(context.stderr.join('\n')).toMatch(/^error: unknown command 'frob'\n\(see planctonctl --help\)$/);
    expect(context.stdout).toEqual([]);
  });

  it('says that a stop made by hand counts only together with a drain', async () => {
    const context = aUser();
    await runProgram(context, ['--help']);
    expect(context.stdout.join('\n')).toContain('`stop` there counts only together with `drain`');
  });

  it.each(['version', '--version', '-V'])('prints the version for %s', async (word) => {
    const context = aUser();
    expect(await runProgram(context, [word])).toBe(0);
    expect(context.stdout).toEqual(['1.2.3']);
  });

  it.each([
    ['before', (dir: string) => [`--rundir=${dir}`, 'drain']],
    ['after', (dir: string) => ['drain', `--rundir=${dir}`]],
    ['after, as two words', (dir: string) => ['drain', '--rundir', dir]],
  ])('takes path options %s the verb, also for users', async (_where, args) => {
    const runDir = join(tempDirectory(), 'run');
    expect(await runProgram(aUser(), args(runDir))).toBe(0);
    expect(readdirSync(runDir)).toEqual(['drain']);
  });

  it('takes relative paths from where it is called', async () => {
    const runDir = tempDirectory();
    expect(await runProgram(aUser(), ['drain', '--rundir', join('.', runDir.replace(/^\//, '../'.repeat(20)))])).toBe(
      0,
    );
    expect(existsSync(join(runDir, 'drain'))).toBe(true);
  });

  it.each([[['status']], [['help']], [['version']], [['stop']], [['reload']]])(
    'creates nothing for %j',
    async (args) => {
      const context = aUser();
      await runProgram(context, args);
      expect(readdirSync(context.home)).toEqual([]);
    },
  );

  it('checks the configuration of --confdir, or one file', async () => {
    const confDir = tempDirectory();
    const file = join(confDir, 'config.yaml');
    writeFileSync(file, 'main_sleep: soon\n');
    const context = aUser();
    expect(await runProgram(context, ['config', 'check', `--confdir=${confDir}`])).toBe(78);
    expect(context.stderr.join('\n')).toContain('config.yaml:1:13: main_sleep');
    expect(await runProgram(context, ['config', 'check', file])).toBe(78);
    expect(context.stderr.join('\n')).toContain(`${file}:1:13: main_sleep`);
    expect(await runProgram(context, ['config', 'check', join(confDir, 'none.yaml')])).toBe(66);
    expect(context.stderr.pop()).toContain('there is no file');
    writeFileSync(file, 'main_sleep: 10\n');
    expect(await runProgram(context, ['--confdir', confDir, 'config', 'check'])).toBe(0);
    expect(await runProgram(context, ['config', 'frobnicate'])).toBe(64);
  });

  it('does not follow links out of a configuration that is a git repository', async () => {
    const confDir = tempDirectory();
    const secret = join(tempDirectory(), 'secret');
    writeFileSync(secret, 'root:x:0:0\n');
    symlinkSync(secret, join(confDir, 'config.yaml'));
    mkdirSync(join(confDir, '.git'));
    const context = aUser();
    expect(await runProgram(context, ['config', 'check', '--confdir', confDir])).toBe(78);
    expect(context.stderr.join('\n')).not.toContain('root:x');
  });

  it('tells a refused permission as a sentence with 77', async () => {
    const context = aUser();
    const program = runProgram(
      {
        ...context,
        out: () => {
          throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
        },
      },
      ['version'],
    );
    expect(await program).toBe(77);
    expect(context.stderr).toEqual(['planctonctl: EACCES: permission denied']);
  });
});
