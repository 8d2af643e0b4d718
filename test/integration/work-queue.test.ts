import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { examples, importPilotImage } from '../support/pilot-image.js';
import { eventually, planctonSite } from '../support/plancton-process.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { expectedSum, startWorkQueue, type RuleResult, type WorkDone, type WorkQueue } from '../support/work-queue.js';

const cap = 4;
const work = { rules: 100, size: 300_000 };
const [oldImage, newImage] = ['work-queue-pilot:v1', 'work-queue-pilot:v2'];

/** The example as it is shipped, quick, and with CPUs enough for `cap` pilots whatever machine this is. */
function siteConfig(image: string): Readonly<Record<string, unknown>> & { readonly docker_cmd: readonly string[] } {
  const example = load(readFileSync(join(examples, 'work-queue.yaml'), 'utf8')) as {
    readonly docker_cmd: readonly string[];
  };
  return {
    ...example,
    docker_cmd: example.docker_cmd.map((argument) => argument.replace('--timeout 60', '--timeout 5')),
    docker_image: image,
    max_docks: cap,
    cpus: cap,
    // The paired workers have the default weight too.
    nice: false,
    max_dock_mem: '100M',
    max_dock_swap: 0,
    main_sleep: '2s',
    updateconfig: '1s',
    git_interval: '1s',
  };
}

/** A bare repository with one configuration in it, and a clone of it at `confDir`. */
async function configRepository(base: string, confDir: string) {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const git = (...args: string[]) => promisify(execFile)('git', args, { env, timeout: 30_000 });
  const bare = join(base, 'config.git');
  const desk = join(base, 'desk');
  await git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  await git('clone', '--quiet', `file://${bare}`, desk);
  await git('-C', desk, 'checkout', '--quiet', '-B', 'main');
  async function commit(config: Readonly<Record<string, unknown>>): Promise<void> {
    // JSON is YAML.
    writeFileSync(join(desk, 'config.yaml'), JSON.stringify(config, undefined, 2));
    await git('-C', desk, 'add', 'config.yaml');
    const author = ['-c', 'user.name=operator', '-c', 'user.email=operator@example.org'];
    await git('-C', desk, ...author, 'commit', '--quiet', '--message', 'Roll out an image');
    await git('-C', desk, 'push', '--quiet', 'origin', 'main');
  }
  await commit(siteConfig(oldImage));
  mkdirSync(confDir, { recursive: true });
  await git('clone', '--quiet', `file://${bare}`, confDir);
  return { commit };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function expectAllRight({ results, exitCode }: WorkDone): void {
  expect(exitCode).toBe(0);
  const sums = new Map(results.map(({ rule, sum }) => [rule, sum]));
  for (let rule = 1; rule <= work.rules; rule += 1) expect(sums.get(rule)).toBe(expectedSum(rule, work.size));
}

describe('a Work Queue site', () => {
  let engine: PrivateEngine;
  let queue: WorkQueue;
  let diary: ContainerDiary;

  beforeAll(async () => {
    engine = await startPrivateEngine();
    await importPilotImage(engine, oldImage);
    await importPilotImage(engine, newImage);
    queue = await startWorkQueue(engine);
    diary = await keepContainerDiary(engine.host);
  });

  afterAll(async () => {
    await diary.stop();
    await queue.stop();
    await engine.stop();
  });

  it('has its rules computed by pilots as well as by bare workers, and rolls out another image on the way', async () => {
    const site = planctonSite({ dockerHost: engine.host });
    const repository = await configRepository(site.base, site.confDir);
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0, stderr: '' });

    const flow = await queue.begin(work);
    await eventually('a quarter of the rules is done', async () => (await flow.completed()) >= work.rules / 4, 300_000);
    // Rules are so short that all pilots may end at once, and at this moment be on their way in and out.
    let before: readonly string[] = [];
    await eventually('pilots of the old image run', async () => {
      before = await site.pilotIds();
      return before.length > 0;
    });
    await repository.commit(siteConfig(newImage));
    const piloted = await flow.done;
    expectAllRight(piloted);
    const ranOn = (image: string): readonly RuleResult[] => piloted.results.filter((result) => result.image === image);
    expect(ranOn(oldImage).length).toBeGreaterThan(work.rules / 4 - 1);
    expect(ranOn(newImage).length).toBeGreaterThan(0);
    expect(ranOn(oldImage).length + ranOn(newImage).length).toBe(work.rules);

    // Nobody was ended, least of all the old ones when the new image came.
    expect(diary.idsOf('kill').size).toBe(0);
    for (const id of before) expect(diary.idsOf('die')).toContain(id);
    const ends = diary.events.filter(({ action }) => action === 'die');
    expect(ends.filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
    expect(diary.mostRunning()).toBe(cap);

    await site.ctl('drain-stop');
    await eventually('the daemon has ended', async () => (await site.ctl('status')).exitCode === 3);
    expect(await site.ctl('force-stop')).toMatchObject({ exitCode: 0 });
    expect(await engine.docker('ps', '--all', '--quiet')).toBe('');
    expect(existsSync(site.pidFile)).toBe(false);
    await eventually('every pilot was reaped', () => {
      return diary.idsOf('destroy').size === diary.idsOf('create').size;
    });
    expect(diary.idsOf('create').size).toBeGreaterThanOrEqual(work.rules);

    const bareFlow = await queue.begin(work);
    await queue.runBareWorkers(cap, siteConfig(oldImage).docker_cmd.at(-1) ?? '', bareFlow.done);
    const bare = await bareFlow.done;
    expectAllRight(bare);
    expect(new Set(bare.results.map(({ image }) => image))).toEqual(new Set(['none']));
    expect(piloted.failures).toBe(bare.failures);
    const ratio = (key: 'cpuMs' | 'wallMs') =>
      median(piloted.results.map((result) => result[key])) / median(bare.results.map((result) => result[key]));
    // How much is a matter for the bench; here only that a pilot is no other kind of machine.
    expect(ratio('cpuMs'), `wall clock ratio ${ratio('wallMs').toFixed(2)}`).toBeLessThan(2);
  }, 900_000);
});
