import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { redactText } from '../../../src/cli/redact-text.js';
import { runCommand } from '../../../src/cli/run-command.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

describe('a text for strangers', () => {
  it.each([
    ['pass hunter2 on', 'pass … on'],
    ['git@host and https://ann:pa/ss@host/x', 'git@host and https://…@host/x'],
    ['"url":"http://u:p@db:8086?u=a&p=b#monitoring"', '"url":"http://…@db:8086?…#monitoring"'],
    ['http://db:8086/write?u=ann&p=secret', 'http://db:8086/write?…'],
    ['"token": "abc.def", next', '"token": "…", next'],
    ['Authorization: Bearer abc', 'Authorization: Bearer …'],
    ['PASSWORD=x y', 'PASSWORD=… y'],
    ['the token bucket is empty', 'the token bucket is empty'],
  ])('has no secret in "%s"', (text, shown) => {
    expect(redactText(text, ['hunter2'])).toBe(shown);
  });
});

describe('planctonctl bundle', () => {
  function bundle(...args: readonly string[]) {
    const dir = tempDirectory();
    for (const name of ['conf', 'run', 'log']) mkdirSync(join(dir, name), { mode: 0o700 });
    const secret = 'docker_env: { TOKEN: hunter2hunter2 }\ninfluxdb_url: http://ann:sesame@db:8086#x\n';
    writeFileSync(join(dir, 'conf', 'config.yaml'), secret);
    writeFileSync(join(dir, 'log', 'plancton.log'), 'a pilot said hunter2hunter2, a database sesame\n');
    const context = recordingContext({ run: runCommand });
    const places = ['conf', 'run', 'log'].map((name) => `--${name}dir=${join(dir, name)}`);
    const words = args.map((word) => join(dir, word));
    const options = [...places, `--policyfile=${join(dir, 'policy.yaml')}`, '--engine=unix:///nonexistent.sock'];
    return { dir, context, run: () => runProgram(context, ['bundle', ...words, ...options]) };
  }

  it('holds what a report needs, whatever is broken, and no secret', async () => {
    const { dir, context, run } = bundle('out.tar.gz');
    expect(await run()).toBe(0);
    const file = join(dir, 'out.tar.gz');
    expect(context.stdout.join()).toContain(`${file} (`);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    const unpacked = join(dir, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
    const files = readdirSync(unpacked).sort();
    expect(files).toEqual(
      [
        ...['config-check.txt', 'config.json', 'doctor.txt', 'explain.txt', 'history.txt', 'host.txt', 'log.txt'],
        ...['policy.txt', 'post-mortems.txt', 'ps.json', 'status.json', 'version.txt'],
      ].sort(),
    );
    const read = (name: string) => readFileSync(join(unpacked, name), 'utf8');
    expect(read('doctor.txt')).toContain('no container engine at unix:///nonexistent.sock');
    expect(read('log.txt')).toBe('a pilot said …, a database …\n');
    expect(JSON.parse(read('config.json'))).toMatchObject({ config: { docker_env: { TOKEN: '…' } } });
    const all = files.map(read).join('\n');
    expect(all).not.toContain('hunter2hunter2');
    expect(all).not.toContain('sesame');
  });

  it('is never written over a file, nor through a link', async () => {
    const { dir, context, run } = bundle('out.tar.gz');
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'out.tar.gz'));
    expect(await run()).toBe(73);
    expect(context.stderr.join('\n')).toMatch(/cannot write \/.*: there is something of this name; name another file$/);
    expect(existsSync(join(dir, 'elsewhere'))).toBe(false);
  });
});
