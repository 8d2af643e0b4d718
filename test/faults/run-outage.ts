import { systemClock } from '../../src/clock.js';
import { importBusybox } from '../support/busybox-image.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';
import { quickConfig } from '../support/plancton-process.js';
import { startReferee, type Referee } from '../support/referee.js';
import { livingContainers } from '../support/referee/processes.js';
import type { Contender } from './contender.js';
import { openLane } from './lane.js';
import { openOriginal } from './original.js';
import { prepareEngine, type Outage, type Victim } from './outages.js';

export interface OutageResult {
  readonly name: string;
  readonly who: 'Plancton' | 'the original';
  /** Codes of the faults that the status told. */
  readonly told: readonly string[];
  /** The longest time without a cycle of the daemon, s. */
  readonly longestGap: number;
  /** From the end of the outage until a pilot was started: at once where one was missing, else after the next end of one. NaN: never. */
  readonly recoverySeconds: number;
  /** From the end of the outage until all slots were full; NaN: never. */
  readonly fullSeconds: number;
  readonly violations: readonly string[];
}

export const slots = 4;
/** One look and two seconds. */
export const recoveryBarSeconds = quickConfig.main_sleep + 2;
const lastsMs = 15_000;
const giveUpMs = 90_000;
const lookMs = 50;
/** A pilot that cannot be removed is tried again after half a minute, then a minute. */
const quietWithinMs = 180_000;

/** An engine of its own for each outage; `told` hears of each as it ends. */
export async function runOutages(
  chosen: readonly Outage[],
  who: OutageResult['who'],
  told: (result: OutageResult) => void,
): Promise<readonly OutageResult[]> {
  const results: OutageResult[] = [];
  for (const outage of chosen) {
    const engine = await startPrivateEngine(outage.engine);
    try {
      await importBusybox(engine);
      await prepareEngine(engine);
      const result = await runOutage(engine, outage, who);
      told(result);
      results.push(result);
    } finally {
      await engine.stop();
    }
  }
  return results;
}

async function runOutage(engine: PrivateEngine, outage: Outage, who: OutageResult['who']): Promise<OutageResult> {
  const settings = { max_docks: slots, cpus_per_dock: 0.1, ...outage.settings?.(engine) };
  const isOurs = who === 'Plancton';
  const contender = isOurs ? await openLane(engine.host, settings) : openOriginal(engine.host, settings);
  const { instance, runDir } = contender;
  const limits = { maxDocks: slots, ...(isOurs ? { rights: { binds: bindsOf(settings) } } : {}) };
  const watched = { dockerHost: engine.host, instance, runDir, limits };
  let referee: Referee | undefined;
  try {
    referee = await startReferee({ ...watched, decoysWithPrefix: isOurs });
    return { name: outage.name, who, ...(await strikeAndMend({ engine, outage, contender, referee })) };
  } finally {
    await contender.stop();
    await referee?.stop();
  }
}

/** The folders of the host that the pilots are given. */
function bindsOf({ binds = [] }: Readonly<Record<string, unknown>>): readonly string[] {
  return (binds as readonly string[]).map((bind) => bind.split(':')[0] ?? '');
}

interface Parts {
  readonly engine: PrivateEngine;
  readonly outage: Outage;
  readonly contender: Contender;
  readonly referee: Referee;
}

async function strikeAndMend({
  engine,
  outage,
  contender,
  referee,
}: Parts): Promise<Omit<OutageResult, 'name' | 'who'>> {
  if (!(await until(async () => (await living(referee)).length === slots))) throw new Error('no pilots to lose');
  const pilots = await victimsOf(engine, await living(referee));
  const mend = await outage.strike({
    engine,
    pilots,
    configure: (changes) => {
      contender.configure(changes);
    },
  });
  const seen = watch(contender);
  await systemClock.sleep(lastsMs);
  const { told, longestGap } = seen.stop();
  await mend();
  const [recoverySeconds, fullSeconds] = await recover(engine, referee);
  await referee.settle({ pilots: slots, withinMs: quietWithinMs });
  const left = (await living(referee)).length;
  const ended = contender.ended();
  const isSilent = contender.told() !== undefined && outage.isQuiet !== true && told.length === 0;
  return {
    ...{ told, longestGap, recoverySeconds, fullSeconds },
    violations: [
      ...(ended === undefined ? [] : [`the daemon has ended: ${ended}`]),
      ...(isSilent ? ['the status has told nothing'] : []),
      // How soon is a matter for the table.
      ...(Number.isNaN(recoverySeconds) ? ['no pilot was started after it'] : []),
      ...(left === slots ? [] : [`${left} pilots have processes in the end`]),
      ...(await judge(referee, outage)),
    ],
  };
}

/** Ids of pilots that the engine says live, and that have processes. */
async function living(referee: Referee): Promise<readonly string[]> {
  const processes = livingContainers();
  return (await referee.pilots()).filter((id) => processes.has(id));
}

/** Looks at what it tells, all the time. */
function watch(contender: Contender): { readonly stop: () => Pick<OutageResult, 'told' | 'longestGap'> } {
  const told = new Set<string>();
  let cycles = -1;
  let lastMs = systemClock.now().monoMs;
  let longestGap = 0;
  const look = () => {
    const { monoMs } = systemClock.now();
    // These daemons never reach the registry of their image.
    for (const code of contender.told() ?? []) if (code !== 'image') told.add(code);
    longestGap = Math.max(longestGap, (monoMs - lastMs) / 1000);
    if (contender.cycles() !== cycles) lastMs = monoMs;
    cycles = contender.cycles();
  };
  const timer = setInterval(look, lookMs);
  return {
    stop: () => {
      clearInterval(timer);
      return { told: [...told].sort(), longestGap };
    },
  };
}

async function victimsOf(engine: PrivateEngine, ids: readonly string[]): Promise<readonly Victim[]> {
  const format = '{{.Created}} {{.Id}} {{.State.Pid}} {{.Config.Hostname}}';
  // Some may be gone by now.
  const lines = await Promise.all(ids.map((id) => engine.docker('inspect', '--format', format, id).catch(() => '')));
  const found = lines.filter((line) => line !== '').sort();
  const all = found.map((line) => {
    const [, id = '', pid = '', hostname = ''] = line.split(' ');
    return { id, pid: Number(pid), hostname };
  });
  // 0 is no process: to kill it would be to kill ourselves.
  return all.filter(({ pid }) => pid > 0);
}

/** Waits for what comes after an outage; where all slots are full already a pilot is ended. Seconds: until a start, until all are full. */
async function recover(engine: PrivateEngine, referee: Referee): Promise<readonly [number, number]> {
  const beganMs = systemClock.now().monoMs;
  const since = () => (systemClock.now().monoMs - beganMs) / 1000;
  const before = new Set(await living(referee));
  const wasFull = before.size >= slots;
  if (wasFull) {
    const [victim] = await victimsOf(engine, [...before]);
    endIfThere(victim);
  }
  let first = NaN;
  const isFull = await until(async () => {
    const now = await living(referee);
    if (Number.isNaN(first) && now.some((id) => !before.has(id))) first = since();
    return now.length >= slots && !Number.isNaN(first);
  });
  if (wasFull) return [first, 0];
  return [first, isFull ? since() : NaN];
}

/** One that was about to go anyhow makes room as well. */
function endIfThere(victim: Victim | undefined): void {
  try {
    if (victim !== undefined) process.kill(victim.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** What the referee found. An engine that ends all containers ends the decoys too, but nobody removes them. */
async function judge(referee: Referee, { endsAll = false }: Outage): Promise<readonly string[]> {
  const found = await referee.verdict();
  return found
    .filter(({ rule, evidence }) => !(endsAll && rule === 'P1 decoy' && !evidence.includes('gone')))
    .map(({ rule, at, evidence }) => `${rule}, ${at}: ${evidence}`);
}

/** False when it did not become so in a long while. */
async function until(condition: () => Promise<boolean>): Promise<boolean> {
  const endMs = systemClock.now().monoMs + giveUpMs;
  while (!(await condition().catch(() => false))) {
    if (systemClock.now().monoMs > endMs) return false;
    await systemClock.sleep(lookMs);
  }
  return true;
}
