import { importBusybox } from '../support/busybox-image.js';
import { keepContainerDiary } from '../support/container-diary.js';
import { startFaultyRegistry, type FaultyRegistry } from '../support/faulty-registry.js';
import { startPrivateEngine } from '../support/private-engine.js';
import { makeDecoys } from './decoys.js';
import { openLane } from './lane.js';
import type { RegistryCase } from './registry-cases.js';
import { judgeAll, recover } from './run-case.js';
import { isCalm, until, type Stage } from './stage.js';

export interface RegistryResult {
  readonly name: string;
  /** What the status said; empty: nothing. */
  readonly said: string;
  /** While the fault lasted: from the end of a pilot to the start of the next one. */
  readonly goesOnSeconds: number;
  /** Requests that one pull has cost the registry; NaN where the image came. */
  readonly requests: number;
  readonly violations: readonly string[];
}

/** So that a registry that says nothing is found out soon; an engine needs a moment even where all is well. */
const pullStallMs = 10_000;
const settings = { image_expiration: '1h' };

/** Asks for one image after the other from a registry that spoils the answers; `told` hears of each case as it ends. */
export async function runRegistryMatrix(
  cases: readonly RegistryCase[],
  told: (result: RegistryResult) => void,
): Promise<readonly RegistryResult[]> {
  const engine = await startPrivateEngine();
  try {
    await importBusybox(engine);
    await engine.docker('tag', 'busybox', 'here:v1');
    const registry = await startFaultyRegistry(engine);
    const diary = await keepContainerDiary(engine.host);
    const lane = await openLane(engine.host, { ...settings, docker_image: 'here:v1' }, { pullStallMs });
    try {
      const decoys = await makeDecoys(engine, lane.instance);
      const images = ['here:v1'];
      const stage = { engineHost: engine.host, lane, diary, decoys, images };
      const results: RegistryResult[] = [];
      await until(() => isCalm(stage));
      for (const tried of cases) {
        const image = await registry.publish(`group/pilot:v${images.length}`);
        images.push(image);
        const result = await runCase({ stage, registry, image }, tried);
        told(result);
        results.push(result);
      }
      return results;
    } finally {
      await Promise.all([lane.stop(), diary.stop()]);
      await registry.stop();
    }
  } finally {
    await engine.stop();
  }
}

interface Parts {
  readonly stage: Stage;
  readonly registry: FaultyRegistry;
  /** Nothing but the registry has it. */
  readonly image: string;
}

async function runCase({ stage, registry, image }: Parts, tried: RegistryCase): Promise<RegistryResult> {
  const { lane } = stage;
  const before = registry.requests.length;
  const said = () => lane.status()?.faults.find(({ code, what }) => code === 'image' && what.includes(image))?.what;
  const isHere = () => {
    const { wanted, id } = lane.status()?.image ?? {};
    return wanted === image && typeof id === 'string';
  };
  registry.spoil(tried.fault);
  lane.configure({ docker_image: image });
  const cameOfIt = await until(() => isHere() || said() !== undefined);
  const told = said() ?? '';
  const requests = told === '' ? NaN : registry.requests.length - before;
  const { violations, seconds: goesOnSeconds } = await recover(stage);
  registry.heal();
  const cameInTheEnd = tried.asksLate === true || (await until(isHere));
  const broken = [
    ...(cameOfIt ? [] : ['nothing came of it']),
    ...(cameInTheEnd ? [] : ['it was not asked again']),
    ...(isTold(tried, told) ? [] : [`the status said: ${told === '' ? 'nothing' : told}`]),
  ];
  return {
    name: tried.name,
    said: told.replace(image, 'x'),
    goesOnSeconds,
    requests,
    violations: [...broken, ...violations, ...(await judgeAll(stage))],
  };
}

function isTold({ told }: RegistryCase, said: string): boolean {
  return told === undefined ? said === '' : told.test(said);
}
