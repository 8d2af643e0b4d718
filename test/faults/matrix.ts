import { pilotLabels } from '../../src/engine/pilot-container.js';
import { importBusybox } from '../support/busybox-image.js';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { startLocalRegistry } from '../support/local-registry.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import type { FaultCase } from './cases.js';
import { makeDecoys, type Decoys } from './decoys.js';
import type { Life } from './endpoints.js';
import { openLane } from './lane.js';
import { lives } from './lives.js';
import { runCase, type CaseResult } from './run-case.js';
import type { Stage } from './stage.js';

/** Which cases one daemon serves after the other; the daemons live side by side on one engine. */
const shares: readonly (readonly Life[])[] = [
  ['short lives', 'engine lost'],
  ['short lives', 'engine lost'],
  ['freeze', 'thaw'],
  ['another image'],
  ['adopted'],
];

/** Runs all these cases; `told` hears of each as it ends. */
export async function runMatrix(
  cases: readonly FaultCase[],
  told: (result: CaseResult) => void,
): Promise<readonly CaseResult[]> {
  const engine = await startPrivateEngine();
  try {
    await importBusybox(engine);
    const images = await pilotImages(engine);
    // An original Plancton has left this one.
    await engine.docker('run', '--detach', '--name', 'plancton-worker-abc123', 'busybox', 'sleep', '100000');
    const diary = await keepContainerDiary(engine.host);
    const lanes = shares.map((share, nth) => {
      const sharing = shares.filter((other) => other[0] === share[0]);
      const mine = cases.filter(({ endpoint }) => share.includes(endpoint.life));
      const own = mine.filter((_, index) => index % sharing.length === sharing.indexOf(share));
      return runLane(engine, diary, { images: images[nth] ?? [], life: share[0] ?? 'adopted', cases: own, told });
    });
    const results = await Promise.all(lanes);
    await diary.stop();
    return results.flat();
  } finally {
    await engine.stop();
  }
}

/** The images of each daemon's pilots: its own tag, and for one of them two from a registry. */
async function pilotImages(engine: PrivateEngine): Promise<readonly (readonly string[])[]> {
  const registry = await startLocalRegistry(engine);
  const images: (readonly string[])[] = [];
  for (const [nth, share] of shares.entries()) {
    if (share.includes('another image')) {
      images.push([await registry.push('busybox', 'group/pilot:a'), await registry.push('busybox', 'group/pilot:b')]);
    } else {
      await engine.docker('tag', 'busybox', `lane-${nth}:v1`);
      images.push([`lane-${nth}:v1`]);
    }
  }
  return images;
}

interface Share {
  readonly images: readonly string[];
  readonly life: Life;
  readonly cases: readonly FaultCase[];
  readonly told: (result: CaseResult) => void;
}

async function runLane(
  engine: PrivateEngine,
  diary: ContainerDiary,
  { images, life, cases, told }: Share,
): Promise<readonly CaseResult[]> {
  if (cases.length === 0) return [];
  let decoys: Decoys | undefined;
  const settings = { ...lives[life].settings, docker_image: images[0] };
  const lane = await openLane(engine.host, settings, async (instance) => {
    decoys = await decoysOf(engine, instance);
  });
  const results: CaseResult[] = [];
  try {
    if (decoys === undefined) throw new Error('the daemon was started without decoys');
    const stage: Stage = { engineHost: engine.host, lane, diary, decoys, images };
    for (const tried of cases) {
      const result = await runCase(stage, tried);
      told(result);
      results.push(result);
    }
  } finally {
    await lane.stop();
  }
  return results;
}

async function decoysOf(engine: PrivateEngine, instance: string): Promise<Decoys> {
  const image = `labelled-${instance}:v1`;
  const changes = [`LABEL ${pilotLabels.managed}=true ${pilotLabels.instance}=${instance}`];
  await importBusybox(engine, image, { changes });
  return makeDecoys(engine.docker, engine.host, { instance, image });
}
