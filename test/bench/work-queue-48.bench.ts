import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { examples, importPilotImage } from '../support/pilot-image.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { foremanPort, startWorkQueue } from '../support/work-queue.js';
import { roomy } from './bench-site.js';
import { fillRace, secondsByHand, secondsOfPlancton, type FillRound } from './fill-race.js';
import { quick, waitFor } from './measure.js';
import { rawLoop, recordCreateBody } from './raw-loop.js';
import { report } from './report.js';
import { atMost } from './results.js';
import { median } from './statistics.js';

const count = quick ? 8 : 48;
const rounds = quick ? 1 : 3;
const established = '01';

/** Connections that workers hold to the foremen, by the kernel's table of the engine's network. */
function connectedWorkers(engine: PrivateEngine): number {
  const ports = [foremanPort, foremanPort + 1].map((port) => port.toString(16).toUpperCase().padStart(4, '0'));
  const lines = readFileSync(`/proc/${engine.pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  return lines.filter((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === established && ports.includes(local.slice(-4));
  }).length;
}

function untilConnected(engine: PrivateEngine): FillRound {
  let reachedMs: number | undefined;
  const reached = () => {
    if (reachedMs === undefined && connectedWorkers(engine) >= count) reachedMs = systemClock.now().wallMs;
    return reachedMs;
  };
  return { count, reached };
}

it('connects pilots to their manager', async () => {
  const engine = await startPrivateEngine();
  onTestFinished(() => engine.stop());
  const [ours, raw] = ['work-queue-pilot:v1', 'bench-raw'];
  await importPilotImage(engine, ours);
  await engine.docker('tag', ours, raw);
  const queue = await startWorkQueue(engine);
  onTestFinished(() => queue.stop());
  // Nobody has that much memory: all wait, and none leaves.
  const flow = await queue.begin({ rules: 1, size: 1, memoryMb: 1_000_000 });
  flow.done.catch(() => undefined);
  const example = load(readFileSync(join(examples, 'work-queue.yaml'), 'utf8')) as { readonly docker_cmd: string[] };
  // The first must not give up before the last one comes.
  const docker_cmd = example.docker_cmd.map((argument) => argument.replace('--timeout 60', '--timeout 3600'));
  const settings = { ...example, ...roomy, docker_cmd, max_dock_mem: '60M', max_dock_swap: 0, main_sleep: '30s' };
  const loop = rawLoop(await recordCreateBody(settings, raw, engine.host), engine.host);
  const round = async () => {
    await waitFor('all have left', 60_000, () => connectedWorkers(engine) === 0);
    return untilConnected(engine);
  };
  const { arms, best, ratios } = await fillRace(
    rounds,
    quick ? [2] : [1, 2, 4],
    async (atATime) => secondsByHand(loop, atATime, await round()),
    async () => secondsOfPlancton(settings, await round(), engine.host),
  );
  report('work-queue-48', {
    head: [`until ${count} Work Queue pilots are connected (n = ${rounds})`, 'median, s', 'ratio to the best by hand'],
    rows: arms.map(({ what, seconds }) => [what, median(seconds), median(seconds) / median(best)]),
    verdicts: [atMost('paired ratio to the best by hand, median', 1.25, median(ratios))],
    raw: Object.fromEntries([...arms.map(({ what, seconds }) => [what, seconds] as const), ['paired ratio', ratios]]),
  });
});
