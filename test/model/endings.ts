import { HOST_CPUS, SETTINGS, TIMES } from './configurations.js';
import { bornBootMs, isAlive } from './containers.js';
import type { Schedule } from './schedule.js';
import type { World } from './world.js';

const LOOK_MS = 1000 * TIMES.look;
/** The longest a start may be held when all is well: an open circuit, a few looks at the host, calls that ran into their deadlines. */
const LONGEST_HOLD_MS = 400_000;
/** The longest pauses of those that are written down: after evictions that undid starts, and after pulls that failed. */
const LONGEST_COOL_DOWN_MS = 3_700_000;
/** What could not be removed is tried again after ten minutes at the latest. */
const LONGEST_QUARANTINE_MS = 660_000;
/** A configuration that leaves room for eight pilots of one CPU. */
const PLAIN = SETTINGS.findIndex(({ cap, cpus, image }) => cap === 8 && cpus === 1 && image === 'site/a:1');

/** Heals everything and judges what has to come about then. */
export async function endWorld(world: World, ending: Schedule['ending']): Promise<void> {
  const { oracle } = world;
  world.heal();
  world.restoreImages();
  world.foreign = 0;
  world.memory = 'plenty';
  world.rules = 0;
  world.lifetimeMs = undefined;
  world.push(PLAIN);
  // One that is about to end may take so long.
  await world.step({ do: 'tick', ms: 2 * LOOK_MS });
  await waitUntil(world, 400_000, () => world.requests.outstanding === 0);
  await world.startDaemon();
  world.setMode(ending);
  await waitUntil(world, 400_000, () => world.requests.outstanding === 0);
  if (oracle.violation !== undefined) return;
  if (ending === 'active') await endActive(world);
  else await endStopped(world, ending);
}

async function waitUntil(world: World, longestMs: number, isThere: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < longestMs; waited += LOOK_MS) {
    if (world.oracle.violation !== undefined || isThere()) return true;
    await world.step({ do: 'tick', ms: LOOK_MS });
  }
  return isThere();
}

/** As many pilots as fit: the cap is reached, or no room is left for one more. */
function isFull({ oracle }: World): boolean {
  const alive = oracle.own().filter(isAlive);
  const held = alive.reduce((sum, { spec }) => sum + (spec?.cpus ?? 0), 0);
  return alive.length >= oracle.cap || held + oracle.known.settings.cpus > HOST_CPUS;
}

async function endActive(world: World): Promise<void> {
  const { oracle } = world;
  const hadToGo = oracle.counts.has('remove evicted') || oracle.counts.has('pull failed');
  const longestMs = hadToGo ? LONGEST_COOL_DOWN_MS : LONGEST_HOLD_MS;
  if (!(await waitUntil(world, longestMs, () => isFull(world)))) {
    const alive = oracle.own().filter(isAlive).length;
    oracle.fail('P15', `${alive} pilots are alive in the end, the cap is ${oracle.cap}`);
  }
  await world.step({ do: 'tick', ms: 9 * LOOK_MS });
  const resisted = oracle.counts.has('remove failed');
  await waitUntil(world, resisted ? LONGEST_QUARANTINE_MS : 0, () => residueOf(world).length === 0);
  for (const { name, state } of residueOf(world)) oracle.fail('P14', `${name} is left, ${state}`);
  await waitUntil(world, resisted ? LONGEST_QUARANTINE_MS : 0, () => overdue(world).length === 0);
  for (const { name } of overdue(world)) oracle.fail('P13', `${name} is alive after its time`);
  await judgeRestart(world);
}

/** What has ended or has never begun, and should have been removed by now. */
function residueOf({ oracle, clock }: World) {
  return oracle
    .own()
    .filter((container) => !isAlive(container) && clock.now().bootMs - bornBootMs(container) >= 6 * LOOK_MS);
}

/** What lives beyond its time. */
function overdue({ oracle, clock }: World) {
  const longestMs = 1000 * (oracle.known.settings.ttl + TIMES.look + TIMES.stop + 30);
  return oracle.own().filter((one) => isAlive(one) && clock.now().bootMs - bornBootMs(one) > longestMs);
}

/** A daemon that is killed and started again goes on as if nothing had been. */
async function judgeRestart(world: World): Promise<void> {
  const { oracle, clock } = world;
  const before = oracle.own().filter(isAlive);
  await world.step({ do: 'kill-daemon', downMs: 0 });
  await world.step({ do: 'tick', ms: 4 * LOOK_MS });
  const after = new Set(
    oracle
      .own()
      .filter(isAlive)
      .map(({ id }) => id),
  );
  const ttlMs = 1000 * oracle.known.settings.ttl;
  const lost = before.filter((one) => !after.has(one.id) && clock.now().bootMs - bornBootMs(one) <= ttlMs);
  if (lost.length > 0) oracle.fail('P16', `${lost.length} pilots are gone after a restart`);
}

/** The daemon ends, and only when nothing of it is left to end. */
async function endStopped(world: World, ending: 'drain-stop' | 'force-stop'): Promise<void> {
  const { oracle } = world;
  const rule = ending === 'force-stop' ? 'P7' : 'P6';
  if (ending === 'drain-stop') {
    await world.step({ do: 'tick', ms: 3 * LOOK_MS });
    for (const { name, state } of oracle.own()) {
      if (state === 'paused') world.engine.unpause(name);
      if (state === 'running' || state === 'paused') world.engine.exit(name, 0);
    }
  }
  if (!(await waitUntil(world, 60 * LOOK_MS, () => world.daemon?.ended !== undefined))) {
    oracle.fail(rule, `the daemon has not ended in ten minutes of ${ending}`);
  }
  const left = oracle.own().filter((one) => isAlive(one) || ending === 'force-stop');
  if (left.length > 0) oracle.fail(rule, `${left.length} pilots are left after ${ending}`);
}
