import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, it, onTestFinished } from 'vitest';
import { examples, importPilotImage } from '../support/pilot-image.js';
import { planctonSite } from '../support/plancton-process.js';
import { startPrivateEngine } from '../support/private-engine.js';
import { startWorkQueue, type WorkDone } from '../support/work-queue.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { mean, median } from './statistics.js';

const ncpus = availableParallelism();
const rounds = 2;
// Long enough that what starting a pilot costs the neighbours is small, as on a real site.
const work = { rules: 4 * ncpus, size: quick ? 6_000_000 : 40_000_000 };

it('computes in pilots as fast as without', async () => {
  const engine = await startPrivateEngine();
  onTestFinished(() => engine.stop());
  await importPilotImage(engine, 'work-queue-pilot:v1');
  const queue = await startWorkQueue(engine);
  onTestFinished(() => queue.stop());
  const example = load(readFileSync(join(examples, 'work-queue.yaml'), 'utf8')) as { readonly docker_cmd: string[] };
  const docker_cmd = example.docker_cmd.map((argument) => argument.replace('--timeout 60', '--timeout 5'));
  const site = planctonSite({ dockerHost: engine.host, env: { PLANCTON_LOG_LEVEL: 'info' } });

  async function onPilots(nice: boolean): Promise<WorkDone> {
    const limits = { max_docks: ncpus, max_dock_mem: '100M', max_dock_swap: 0 };
    site.configure({ ...example, docker_cmd, cpus: 'auto', ...limits, nice });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    const done = await (await queue.begin(work)).done;
    await site.ctl('force-stop');
    return done;
  }

  async function onBareWorkers(): Promise<WorkDone> {
    const flow = await queue.begin(work);
    await queue.runBareWorkers(ncpus, docker_cmd.at(-1) ?? '', flow.done);
    return flow.done;
  }

  const contenders = [
    { what: 'bare workers', run: onBareWorkers, done: [] as WorkDone[] },
    { what: 'pilots, nice: false', run: () => onPilots(false), done: [] as WorkDone[] },
    { what: 'pilots, nice: true (default)', run: () => onPilots(true), done: [] as WorkDone[] },
  ];
  // Taking turns, so that what else the machine does hits all alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const { run, done } of contenders) done.push(await run());
  }
  const [bare] = contenders.map(({ done }) => seconds(done));
  report('job-times', {
    head: [
      `${rounds * work.rules} jobs each`,
      'wall clock, s',
      'ratio',
      'mean, s',
      'ratio',
      'CPU, s',
      'ratio',
      'failures',
    ],
    rows: contenders.map(({ what, done }) => {
      const { wall, wallMean, cpu, failures } = seconds(done);
      const ratios = [
        wall / (bare?.wall ?? NaN),
        wallMean / (bare?.wallMean ?? NaN),
        cpu / (bare?.cpu ?? NaN),
      ] as const;
      return [what, wall, ratios[0], wallMean, ratios[1], cpu, ratios[2], failures];
    }),
    verdicts: [],
    raw: Object.fromEntries(
      contenders.map(({ what, done }) => [
        what,
        done.flatMap(({ results }) => results.map(({ wallMs }) => wallMs / 1000)),
      ]),
    ),
  });
});

/** Medians, and the mean of the wall clock. */
function seconds(done: readonly WorkDone[]) {
  const results = done.flatMap((each) => each.results);
  const walls = results.map(({ wallMs }) => wallMs / 1000);
  return {
    wall: median(walls),
    wallMean: mean(walls),
    cpu: median(results.map(({ cpuMs }) => cpuMs / 1000)),
    failures: done.reduce((sum, each) => sum + each.failures, 0),
  };
}
