import { importBusybox } from '../support/busybox-image.js';
import { keepContainerDiary, type ContainerDiary } from '../support/container-diary.js';
import { startLocalRegistry } from '../support/local-registry.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import type { FaultCase } from './cases.js';
import { makeDecoys } from './decoys.js';
import type { Life } from './endpoints.js';
import { openLane } from './lane.js';
import { lives } from './lives.js';
import { runCase, type CaseResult } from './run-case.js';
import { isCalm, until, type Stage } from './stage.js';

/** Which cases one daemon serves after the other; the daemons live side by side on one engine. */
const shares: readonly (readonly [Life, ...Life[]])[] = [
  ['short lives', 'engine lost'],
  ['short lives', 'engine lost'],
  ['freeze', 'thaw'],
  ['another image'],
  ['new images'],
  ['adopted', 'killed'],
];

/** Runs all these cases; `told` hears of each as it ends. */
export async function runMatrix(
  cases: readonly FaultCase[],
  told: (result: CaseResult) => void,
): Promise<readonly CaseResult[]> {
  const engine = await startPrivateEngine();
  try {
    await importBusybox(engine);
    const diary = await keepContainerDiary(engine.host);
    const lanes = shareOut(cases).map((share, nth) => runLane({ engine, diary, told, ...share }, `lane-${nth}:v1`));
    const results = await Promise.all(lanes);
    await diary.stop();
    return results.flat();
  } finally {
    await engine.stop();
  }
}

interface Share {
  readonly life: Life;
  readonly cases: readonly FaultCase[];
}

function shareOut(cases: readonly FaultCase[]): readonly Share[] {
  return shares
    .map((share) => {
      const sharing = shares.filter(([life]) => life === share[0]);
      const shared = cases.filter(({ endpoint }) => share.includes(endpoint.life));
      const mine = shared.filter((_, index) => index % sharing.length === sharing.indexOf(share));
      return { life: share[0], cases: mine };
    })
    .filter((share) => share.cases.length > 0);
}

interface LaneParts extends Share {
  readonly engine: PrivateEngine;
  readonly diary: ContainerDiary;
  readonly told: (result: CaseResult) => void;
}

/** The pilots are made of the image `tag`, or of those of a registry. */
async function runLane({ engine, diary, life, cases, told }: LaneParts, tag: string): Promise<readonly CaseResult[]> {
  await engine.docker('tag', 'busybox', tag);
  const { images, publish } = await imagesFor(life, engine, tag);
  // An original Plancton has left this one.
  const original = ['--detach', '--name', 'plancton-worker-abc123', 'busybox', 'sleep', '100000'];
  if (life === 'adopted') await engine.docker('run', ...original);
  const lane = await openLane(engine.host, { ...lives[life].settings, docker_image: images[0] });
  const results: CaseResult[] = [];
  try {
    const decoys = await makeDecoys(engine, lane.instance);
    const stage: Stage = { engineHost: engine.host, lane, diary, decoys, images, publish };
    // There must be pilots to lose.
    await until(() => isCalm(stage));
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

/** The images of a life; there are more of them each time that one is published. */
async function imagesFor(life: Life, engine: PrivateEngine, tag: string): Promise<Pick<Stage, 'images' | 'publish'>> {
  if (life !== 'another image' && life !== 'new images') return { images: [tag] };
  const registry = await startLocalRegistry(engine);
  if (life === 'another image') {
    return {
      images: [await registry.push('busybox', 'group/pilot:a'), await registry.push('busybox', 'group/pilot:b')],
    };
  }
  await engine.docker('create', '--name', 'mould', 'busybox', 'true');
  const images: string[] = [];
  const publish = async () => {
    const version = `mould:${images.length}`;
    // It shares its files with all others.
    await engine.docker('commit', '--change', `LABEL version=${version}`, 'mould', version);
    const reference = await registry.push(version, `group/${version}`);
    await engine.docker('rmi', reference, version);
    images.push(reference);
    return reference;
  };
  await publish();
  return { images, publish };
}
