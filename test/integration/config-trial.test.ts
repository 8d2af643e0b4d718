import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createGitSource } from '../../src/config/git/git-source.js';
import { createConfigKeeper, type ConfigKeeper, type InForce } from '../../src/config/keeper.js';
import type { ConfigSource } from '../../src/config/source.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';
import { planctonSite, quickConfig } from '../support/plancton-process.js';

const env = { PATH: process.env['PATH'] };
const WHY = '7 of 9 pilots failed: 7 x exit code 1';

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;

beforeEach(async () => {
  temp = await createTempDir();
  upstream = await createConfigRepo(join(temp.path, 'upstream'), { 'config.yaml': 'one\n', 'run.sh': 'one\n' });
});
afterEach(() => temp.remove());

function clone(into: string): Promise<void> {
  return cloneConfig({ url: `file://${upstream.path}`, into, env, clock: systemClock, deadlineMs: 30_000 });
}

describe('a clone', () => {
  const confDir = () => join(temp.path, 'conf');
  const deployed = (file: string) => readFile(join(confDir(), file), 'utf8');

  function aSource(): ConfigSource {
    return createGitSource({
      confDir: confDir(),
      hostname: 'wn042',
      stateDir: join(temp.path, 'state'),
      clock: systemClock,
      env,
      deadlineMs: 30_000,
      remoteIntervalMs: () => 0,
    });
  }

  /** What a daemon would keep; each is another run of it. */
  function aKeeper(): ConfigKeeper<string> {
    const source = aSource();
    const load = (layers: readonly { readonly text: string }[]) =>
      ({ ok: true, config: layers.map(({ text }) => text).join(''), warnings: [] }) as const;
    return createConfigKeeper({ source, clock: systemClock, load });
  }

  function inForce(keeper: ConfigKeeper<string>): InForce<string> {
    if (keeper.state.inForce === undefined) throw new Error('nothing is in force');
    return keeper.state.inForce;
  }

  /** Revision one is proven, two is in force. */
  async function onProbation(): Promise<{ keeper: ConfigKeeper<string>; one: string; two: string }> {
    await clone(confDir());
    const one = await upstream.git('rev-parse', 'HEAD');
    const keeper = aKeeper();
    await keeper.start();
    await keeper.prove(inForce(keeper));
    const two = await upstream.commit({ 'config.yaml': 'two\n', 'run.sh': 'two\n' });
    await keeper.refresh();
    expect(keeper.proof).toBe('on-probation');
    return { keeper, one, two };
  }

  it('goes back to the proven commit with its whole tree, though git has cleared up since', async () => {
    const { keeper, one, two } = await onProbation();
    await git(confDir(), 'reflog', 'expire', '--expire=now', '--all');
    await git(confDir(), 'gc', '--quiet', '--prune=now');

    const news = await keeper.condemn(inForce(keeper), WHY);

    expect(news).toMatchObject({ type: 'accepted', inForce: { revision: { id: one } }, refused: { revisionId: two } });
    expect([await deployed('config.yaml'), await deployed('run.sh')]).toEqual(['one\n', 'one\n']);
    expect(await git(confDir(), 'status', '--porcelain')).toBe('');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });

  it('tells the next daemon what was condemned and why, and takes a newer commit', async () => {
    const { keeper, one, two } = await onProbation();
    await keeper.condemn(inForce(keeper), WHY);

    const next = aKeeper();
    expect(await next.start()).toMatchObject({ type: 'accepted', inForce: { revision: { id: one } } });
    expect(next.proof).toBe('proven');
    expect(await next.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: two, problems: [WHY] } });

    const three = await upstream.commit({ 'config.yaml': 'three\n' });
    expect(await next.refresh()).toMatchObject({ type: 'accepted', inForce: { revision: { id: three } } });
    expect(next.proof).toBe('on-probation');
  });

  it('goes back at the next start where the daemon was killed in between', async () => {
    const { keeper, one, two } = await onProbation();
    await aSource().trials?.condemn({ revision: inForce(keeper).revision, why: WHY });

    const next = aKeeper();
    const news = await next.start();

    expect(news).toMatchObject({ inForce: { revision: { id: one } }, refused: { revisionId: two } });
    expect(await deployed('run.sh')).toBe('one\n');
  });

  it('keeps what a person edited, and does not have it in force', async () => {
    const { keeper, one, two } = await onProbation();
    await writeFile(join(confDir(), 'config.yaml'), 'mine\n');
    await keeper.refresh();
    expect(inForce(keeper).config).toBe('mine\n');

    const news = await keeper.condemn(inForce(keeper), WHY);

    expect(news).toMatchObject({ inForce: { revision: { id: one } }, refused: { revisionId: `${two}+local` } });
    expect(await deployed('config.yaml')).toBe('mine\n');
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
    await writeFile(join(confDir(), 'config.yaml'), 'mine, mended\n');
    expect(await keeper.refresh()).toMatchObject({ inForce: { config: 'mine, mended\n' } });
  });

  it('remembers the proof of a commit beside a file that no commit holds, but not that of an edit', async () => {
    await clone(confDir());
    await writeFile(join(confDir(), 'config.yaml'), 'mine\n');
    const edited = aKeeper();
    await edited.start();
    await edited.prove(inForce(edited));
    expect(edited.proof).toBe('proven');
    const afterEdit = aKeeper();
    await afterEdit.start();
    expect(afterEdit.proof).toBe('first');

    await git(confDir(), 'checkout', '--quiet', '--', '.');
    await mkdir(join(confDir(), 'hosts'));
    await writeFile(join(confDir(), 'hosts', 'wn042.yaml'), 'of this host\n');
    const beside = aKeeper();
    await beside.start();
    await beside.prove(inForce(beside));
    const afterBeside = aKeeper();
    await afterBeside.start();
    expect(afterBeside.proof).toBe('proven');
  });
});

describe('the daemon on a real engine', () => {
  const quickly = { ...quickConfig, docker_cmd: '/bin/sleep 2', backoff_seconds: 1, backoff_max: 1 };
  const text = (changes: object) => JSON.stringify({ ...quickly, ...changes });

  it('takes back a push that breaks its pilots, also across a restart, and accepts the next one', async () => {
    const site = planctonSite({ dockerHost: inject('dockerHost') });
    const good = await upstream.commit({ 'config.yaml': text({}) });
    await clone(site.confDir);
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    const first = await site.until('something is proven', ({ config }) => config.probation === undefined);
    expect(first.config.revision).toBe(good);

    const bad = await upstream.commit({ 'config.yaml': text({ docker_cmd: '/bin/nosuch' }) });
    const back = await site.until('it is taken back', ({ config }) => {
      return config.revision === good && config.refused?.revision === bad;
    });
    expect(back.config.refused).toMatchObject({ revision: bad });
    expect(back.config.refused?.problems.join()).toMatch(/^\d+ of \d+ pilots failed: \d+ x /);
    expect(site.log()).toContain('configuration refused: its first pilots failed');
    expect(await readFile(join(site.confDir, 'config.yaml'), 'utf8')).toBe(text({}));

    expect(await site.ctl('stop')).toMatchObject({ exitCode: 0 });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    const restarted = await site.until('it is refused again', ({ config }) => config.refused?.revision === bad);
    expect(restarted.config.revision).toBe(good);
    expect(restarted.config.probation).toBeUndefined();
    expect((await site.ctl('status')).stdout).toMatch(/refused .*\n +\d+ of \d+ pilots failed/);

    const next = await upstream.commit({ 'config.yaml': text({ docker_cmd: '/bin/sleep 3' }) });
    const accepted = await site.until('the next push is proven', ({ config }) => {
      return config.revision === next && config.probation === undefined;
    });
    expect(accepted.config.refused).toBeUndefined();
  });
});
