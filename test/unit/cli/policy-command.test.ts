import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

function aSite(config = 'docker_image: reg.org/team/worker:1\n') {
  const dir = tempDirectory();
  const policyFile = join(dir, 'policy.yaml');
  const confDir = join(dir, 'conf');
  mkdirSync(confDir);
  writeFileSync(join(confDir, 'config.yaml'), config);
  const context = recordingContext({ uid: process.getuid?.() ?? 0 });
  const run = (...args: string[]) => {
    context.stdout.length = 0;
    context.stderr.length = 0;
    return runProgram(context, ['--confdir', confDir, '--policyfile', policyFile, 'policy', ...args]);
  };
  const write = (text: string) => {
    writeFileSync(policyFile, text, { mode: 0o644 });
  };
  return { policyFile, run, write, out: () => context.stdout.join('\n'), err: () => context.stderr.join('\n') };
}

describe('planctonctl policy', () => {
  it('says that there is none, and how to get one', async () => {
    const { run, err } = aSite();
    expect(await run('check')).toBe(78);
    expect(err()).toMatch(/there is no policy for this host .*planctonctl policy init/);
    expect(await run('show')).toBe(78);
  });

  it('makes the one that the configuration needs, once', async () => {
    const { run, out, err, policyFile } = aSite();
    expect(await run('init')).toBe(0);
    const text = readFileSync(policyFile, 'utf8');
    expect(text).toContain('images: ["reg.org/team/worker"]');
    expect(await run('check')).toBe(0);
    expect(out()).toContain('the configuration in use keeps to it');
    expect(await run('init')).toBe(73);
    expect(err()).toContain('it is there already');
    expect(readFileSync(policyFile, 'utf8')).toBe(text);
  });

  it('tells what the configuration becomes', async () => {
    const { run, write, out, err } = aSite('docker_image: reg.org/team/worker:1\nmax_docks: 9\n');
    write('images: [reg.org/team/*]\nusers: ["0:0"]\nmost_docks: 2\n');
    expect(await run('check')).toBe(0);
    expect(out()).toContain('capped: max_docks is 2 instead of 9');
    write('images: [busybox]\nusers: ["0:0"]\nmost_docks: 2\n');
    expect(await run('check')).toBe(78);
    expect(err()).toMatch(/refused: docker_image reg.org\/team\/worker:1/);
    expect(await run('check', '--json')).toBe(78);
    expect(JSON.parse(out())).toMatchObject({
      valid: true,
      clamps: [expect.any(String)],
      refusals: [expect.any(String)],
    });
  });

  it('prints nothing that could steer the terminal, and writes the same policy all the same', async () => {
    const strange = 'security_opts: ["label=a\\e[2J\\u202Eb\\x9b\\U000E0001"]\nown_cgroups: ["/a\\e[2J"]\n';
    const { run, write, out, err, policyFile } = aSite(`docker_image: reg.org/team/worker:1\n${strange}`);
    const steering = /[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u;
    write('images: [reg.org/team/worker]\nusers: ["0:0"]\nrequire_yielding: true\n');
    expect(await run('check')).toBe(78);
    expect(err()).toContain('refused: security_opts label=a\\u001b[2J');
    expect(err()).toContain('refused: own_cgroups /a\\u001b[2J');
    expect(err()).not.toMatch(steering);
    expect(await run('check', '--json')).toBe(78);
    expect(out()).not.toMatch(steering);

    rmSync(policyFile);
    expect(await run('init')).toBe(0);
    expect(readFileSync(policyFile, 'utf8')).not.toMatch(steering);
    expect(await run('show')).toBe(0);
    expect(out()).toContain('\\u202e');
    expect(out()).not.toMatch(steering);
  });

  it('checks any file before it is put in force', async () => {
    const { run, write, err, out } = aSite();
    const next = join(tempDirectory(), 'next.yaml');
    write('images: [reg.org/team/worker]\nusers: ["0:0"]\n');
    writeFileSync(next, 'images: []\nprivlege: no\n');
    expect(await run('check', next)).toBe(78);
    expect(err()).toMatch(/next.yaml:2:1: privlege: unknown key/);
    expect(await run('check', next, '--json')).toBe(78);
    expect(JSON.parse(out())).toMatchObject({ valid: false });
    expect(await run('check', join(next, 'none'))).not.toBe(0);
  });

  it('shows all of it, in its own words', async () => {
    const { run, write, out } = aSite();
    write('images: [busybox]\nusers: [1000-2000]\nbinds: ["/data:rw"]\n');
    expect(await run('show')).toBe(0);
    expect(out()).toMatch(/^users: \['1000-2000'\]$/m);
    expect(out()).toMatch(/^binds: \["\/data:rw"\]$/m);
    expect(out()).toMatch(/^most_ttl: /m);
    expect(await run('show', '--json')).toBe(0);
    expect(JSON.parse(out())).toMatchObject({ policy: { images: ['busybox'], users: ['1000-2000'] } });
  });

  it('tells whose signatures count, and does not call keys good that cannot be read', async () => {
    const { run, write, out, err } = aSite();
    const allowed = 'images: [reg.org/team/worker]\nusers: ["0:0"]\n';
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC45NOarYYAVkOltuICVXyBqI5R819P/hGXoOX/Hs0PI ann@site.org';
    const told = 'may sign: ann@site.org (ssh, SHA256:/wn8Hl+qQHwScvmFx8ZS0YmFBURItZuihmtOeZC3dBc)';
    write(`${allowed}config_signatures: require\nconfig_keys: [${key}]\n`);
    expect(await run('check')).toBe(0);
    expect(out()).toContain(`signatures of the configuration: require\n${told}`);
    expect(await run('show')).toBe(0);
    expect(out()).toContain(`# ${told}`);
    expect(await run('show', '--json')).toBe(0);
    expect(JSON.parse(out())).toMatchObject({ signingKeys: [{ kind: 'ssh', name: 'ann@site.org' }] });
    write(`${allowed}config_signatures: require\nconfig_keys: [/nonexistent/keys]\n`);
    expect(await run('check')).toBe(78);
    expect(err()).toContain('no signature can be checked: the file of keys /nonexistent/keys cannot be read (ENOENT)');
    write(`${allowed}config_signatures: warn\n`);
    expect(await run('check')).toBe(78);
    expect(err()).toContain('names no key; name some');
  });
});
