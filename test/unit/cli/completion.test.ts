import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

async function scriptFor(shell: string): Promise<string> {
  const context = recordingContext();
  expect(await runProgram(context, ['completion', shell])).toBe(0);
  return `${context.stdout.join('\n')}\n`;
}

/** Asks the shell itself what it would offer after `line`; in a folder with `scenario.yaml`, on a host with one pilot. */
type Complete = (line: string) => readonly string[];

const scripts: Record<string, (file: string, line: string) => readonly string[]> = {
  bash: (file, line) => {
    const program = `source ${file}; COMP_WORDS=(${line.endsWith(' ') ? `${line} ''` : line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _planctonctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return ['bash', '--norc', '-c', program];
  },
  zsh: (file, line) => {
    // What zsh itself does needs a terminal: its functions only say here what they were given.
    const given = `compdef() { }; _describe() { print -l -- \${\${(P)2}%%:*} }; compadd() { shift; print -l -- $@ }; _files() { print -l -- *(N) }`;
    const words = `words=(${line.endsWith(' ') ? `${line} ''` : line}); CURRENT=$#words`;
    return ['zsh', '-f', '-c', `${given}; source ${file}; ${words}; _planctonctl | grep -e "^\${words[-1]}"`];
  },
  fish: (file, line) => ['fish', '--no-config', '-c', `source ${file}; complete -C ${JSON.stringify(line)}`],
};

function completer(shell: string, file: string, folder: string): Complete {
  return (line) => {
    const [program = '', ...args] = scripts[shell]?.(file, line) ?? [];
    const env = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      HOME: folder,
      TERM: 'dumb',
    };
    const out = execFileSync(program, args, { encoding: 'utf8', env, cwd: folder });
    return out.split(/\s+/);
  };
}

describe.each(['bash', 'zsh', 'fish'])('%s', (shell) => {
  async function aCompleter(): Promise<Complete> {
    const folder = tempDirectory();
    const file = join(folder, 'completion');
    writeFileSync(file, await scriptFor(shell));
    writeFileSync(join(folder, 'scenario.yaml'), '');
    const ps = "#!/bin/sh\nprintf 'NAME  ID\\nplancton-worker-abc123  1\\n'\n";
    writeFileSync(join(folder, 'planctonctl'), ps);
    chmodSync(join(folder, 'planctonctl'), 0o755);
    return completer(shell, file, folder);
  }

  it.each([
    ['planctonctl dra', ['drain', 'drain-stop'], ['status']],
    ['planctonctl config ', ['check', 'show', 'schema'], ['drain']],
    ['planctonctl --rundir /tmp/x config ', ['check'], ['drain']],
    ['planctonctl status --', ['--json', '--user'], ['--since']],
    ['planctonctl --log-format ', ['text', 'json'], ['status']],
    ['planctonctl completion ', ['bash', 'zsh', 'fish'], ['status']],
    ['planctonctl simulate sc', ['scenario.yaml'], ['status']],
    ['planctonctl logs plancton', ['plancton-worker-abc123'], ['status']],
  ])('offers after "%s" what fits', async (line, offered, others) => {
    const complete = await aCompleter();
    const words = complete(line);
    for (const word of offered) expect(words).toContain(word);
    for (const word of others) expect(words).not.toContain(word);
  });
});

it('is told by a shell that is none', async () => {
  const context = recordingContext();
  expect(await runProgram(context, ['completion', 'csh'])).toBe(64);
  expect(context.stderr.join('\n')).toContain('Allowed choices are bash, zsh, fish');
});
