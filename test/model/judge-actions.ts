import type {
  Action,
  FreezeAction,
  PullAction,
  RemovalReason,
  RemoveAction,
  SpawnAction,
  ThawAction,
} from '../../src/model.js';
import type { FakeContainer } from '../support/fake-container.js';
import { HOST_CPUS, MARGIN, memoryOf, SETTINGS, SLACK, TIMES } from './configurations.js';
import { bornBootMs, firstName, isAlive, isOwn } from './containers.js';
import { STALE_MS, type Knowledge, type ServedSample } from './knowledge.js';
import type { Oracle } from './oracle.js';

const EPSILON = 1e-6;
/** The deadline of a start, and as long again: what the engine has not done until then it will not do. */
const LONGEST_START_MS = 120_000;
/** A container that is made and not started is left alone for so long. */
const NEVER_STARTED_MS = 30_000;
const FIRST_PULL_PAUSE_MS = 30_000;
/** CPU seconds that a start may cost. */
const START_COST = 0.3;

/** Judges all that one cycle has decided, before any of it is done. */
export function judgeActions(oracle: Oracle, actions: readonly Action[]): void {
  const { known } = oracle;
  if (known.list === undefined && actions.length > 0) oracle.fail('P3', 'a cycle decides without a list');
  const evicted: FakeContainer[] = [];
  for (const action of actions) {
    if (action.type === 'remove') judgeRemoval(oracle, action, evicted);
  }
  judgeReclaims(
    oracle,
    evicted,
    actions.filter((action) => action.type === 'freeze'),
  );
  for (const action of actions) {
    if (action.type === 'thaw') judgeThaw(oracle, action);
    if (action.type === 'pull') judgePull(oracle, action);
  }
  judgeSpawns(
    oracle,
    actions.filter((action) => action.type === 'spawn'),
  );
}

function judgeRemoval(oracle: Oracle, { pilot, reason }: RemoveAction, evicted: FakeContainer[]): void {
  const { known } = oracle;
  if (known.list?.has(pilot.id) !== true) oracle.fail('P1', `${pilot.name} is to go and was not listed`);
  known.leaving.add(pilot.id);
  const container = oracle.find(pilot.id);
  if (container === undefined) return;
  if (reason === 'evicted') evicted.push(container);
  const wrong = whyNotRemove(oracle, container, reason);
  if (wrong !== undefined) oracle.fail('P4', `${pilot.name} is to go as ${reason}, and ${wrong}`);
}

/** It was made, and nobody is about to start it. */
function isLeft({ list, starting, givenUp }: Knowledge, { id, name }: FakeContainer, ageMs: number): boolean {
  // By the name it has now: who renames one in the half minute before it starts will find it gone.
  const isGivenUp = givenUp.has(name) || ageMs >= NEVER_STARTED_MS;
  return list?.get(id) === 'created' && !starting.has(name) && isGivenUp;
}

/** What speaks against the reason given. */
function whyNotRemove({ known, clock }: Oracle, container: FakeContainer, reason: RemovalReason): string | undefined {
  const ageMs = clock.now().bootMs - bornBootMs(container);
  switch (reason) {
    case 'exited':
      return isAlive(container) ? `it is ${container.state}` : undefined;
    case 'never-started':
      return isLeft(known, container, ageMs) ? undefined : `it is ${ageMs} ms old, and its start may be under way`;
    case 'expired':
      return ageMs > known.settings.ttl * 1000 ? undefined : `it is ${ageMs} ms old`;
    case 'force-stop':
      return known.mode === 'force-stop' ? undefined : `the mode is ${known.mode ?? '?'}`;
    case 'evicted':
      return undefined;
  }
}

function newest(oracle: Oracle): ServedSample | undefined {
  return oracle.known.samples.at(-1);
}

/** The newest sample that says what others use; one that covers little counts only where there is no better one. */
function deciding({ known, clock }: Oracle): ServedSample | undefined {
  const sinceMs = clock.now().monoMs - 1000 * TIMES.foreignWindow;
  const full = known.samples.filter(({ monoMs, short, duringPull }) => monoMs > sinceMs && !short && !duringPull);
  return full.at(-1) ?? known.samples.at(-1);
}

/** Full samples back to the first that is as old as the grace period, two at least; none if they do not reach so far. */
function judgingSamples(oracle: Oracle): readonly ServedSample[] {
  const full = oracle.known.samples.filter(({ short, duringPull }) => !short && !duringPull);
  const sinceMs = (full.at(-1)?.monoMs ?? 0) - 1000 * (TIMES.graceKill - 0.05 * TIMES.look);
  const span: ServedSample[] = [];
  for (const sample of [...full].reverse()) {
    span.push(sample);
    if (sample.monoMs <= sinceMs && span.length >= 2) return span;
  }
  return [];
}

/** The CPUs that pilots may hold beside this use by others. */
function roomBeside(foreign: number): number {
  return HOST_CPUS - Math.max(0, foreign - SLACK);
}

function cpusOf(containers: readonly FakeContainer[]): number {
  return containers.reduce((sum, { spec }) => sum + (spec?.cpus ?? 0), 0);
}

/** Who has to make room: for memory one at a time, for CPUs as many as are above what every sample of the grace period leaves. */
function judgeReclaims(oracle: Oracle, evicted: FakeContainer[], freezes: readonly FreezeAction[]): void {
  const { known, clock } = oracle;
  const nowMs = clock.now().monoMs;
  const thawedLate = evicted.filter(({ id, state }) => state === 'paused' && known.frozen.has(id));
  const running = evicted.filter((container) => !thawedLate.includes(container));
  const frozen = freezes.flatMap(({ pilot }) => oracle.find(pilot.id) ?? []);
  const victims = [...running, ...frozen];
  if (evicted.length > 0) {
    if (known.settings.evict === 'never') oracle.fail('P4', 'evict: never, and pilots are evicted');
    known.evictedAtMs = nowMs;
  }
  if (victims.length === 0) return;
  const sample = newest(oracle);
  if (sample === undefined || nowMs - sample.monoMs > STALE_MS) {
    oracle.fail('P4', 'eviction without a fresh sample');
    return;
  }
  if (sample.seq === known.evictedBySeq) oracle.fail('P9', 'two evictions by one sample');
  known.evictedBySeq = sample.seq;
  const shortMs = known.memoryShortSinceMs === undefined ? -1 : nowMs - known.memoryShortSinceMs;
  const forMemory = shortMs >= 1000 * (TIMES.graceKill - 0.05 * TIMES.look);
  if (forMemory) {
    known.memoryShortSinceMs = nowMs;
    if (running.length === 1 && frozen.length === 0) return;
  }
  judgeCpuVictims(oracle, sample, victims, forMemory ? 1 : 0);
}

/** `spare`: how many of the victims have gone for another reason. */
function judgeCpuVictims(oracle: Oracle, sample: ServedSample, victims: FakeContainer[], spare: number): void {
  const { known } = oracle;
  const span = judgingSamples(oracle);
  if (span.length < 2) {
    oracle.fail('P4', 'eviction before the grace period is over');
    return;
  }
  if (sample.busy < HOST_CPUS - SLACK) oracle.fail('P4', `eviction while only ${sample.busy} CPUs are busy`);
  const limit = Math.max(...span.map(({ foreign }) => roomBeside(foreign))) + MARGIN;
  const listed = oracle.own().filter(({ id }) => known.list?.get(id) === 'running');
  const others = listed.filter(({ id }) => !known.leaving.has(id) && !victims.some((victim) => victim.id === id));
  const sizes = victims.map(({ spec }) => spec?.cpus ?? 0).sort((a, b) => b - a);
  const kept = cpusOf(others) + (sizes[0] ?? 0) + (spare > 0 ? (sizes[1] ?? 0) : 0);
  if (kept <= limit - EPSILON) {
    oracle.fail('P4', `${victims.length} pilots make room, and ${kept} CPUs of pilots would fit in ${limit}`);
  }
  const youngestKept = Math.max(...others.filter(({ id }) => !known.resisting.has(id)).map(bornBootMs));
  const oldestVictim = Math.min(...victims.map(bornBootMs));
  if (youngestKept > oldestVictim && !known.settings.freezes) {
    oracle.fail('P4', 'an older pilot makes room for a younger one');
  }
}

function judgeThaw(oracle: Oracle, { pilot }: ThawAction): void {
  if (!oracle.known.frozen.has(pilot.id)) oracle.fail('P4', `${pilot.name} is thawed and was not frozen by us`);
}

function judgePull(oracle: Oracle, { reference }: PullAction): void {
  const { known, clock } = oracle;
  const { monoMs } = clock.now();
  const last = known.pulls.get(reference);
  if (known.mode === 'force-stop') oracle.fail('P7', `${reference} is pulled on force-stop`);
  if (!known.rules.images.includes(reference)) oracle.fail('P5', `${reference} is pulled and not allowed`);
  if (last !== undefined && monoMs - last < FIRST_PULL_PAUSE_MS) {
    oracle.fail('P9', `${reference} is pulled again after ${monoMs - last} ms`);
  }
  known.pulls.set(reference, monoMs);
}

function judgeSpawns(oracle: Oracle, spawns: readonly SpawnAction[]): void {
  if (spawns.length === 0) return;
  judgeReasons(oracle);
  for (const spawn of spawns) judgeSpec(oracle, spawn);
  judgeNumber(oracle, spawns);
  judgePace(oracle, spawns);
  const { known } = oracle;
  known.startsSinceSample += spawns.length;
  for (const { spec } of spawns) {
    known.starting.set(spec.name, spec.cpus);
    oracle.caps.set(spec.name, oracle.cap);
  }
}

/** Nothing is started by a daemon that does not know enough. */
function judgeReasons(oracle: Oracle): void {
  const { known, clock } = oracle;
  const sample = newest(oracle);
  if (known.mode !== 'active') oracle.fail('P3', `starts while the mode is ${known.mode ?? '?'}`);
  if (sample === undefined || clock.now().monoMs - sample.monoMs > STALE_MS) {
    oracle.fail('P3', 'starts without a fresh sample');
  }
  if (!known.imageKnown) oracle.fail('P3', 'starts while the image could not be looked up');
  if (!known.rules.images.includes(known.settings.image)) oracle.fail('P5', 'starts of what is not allowed');
}

/** A pilot is of one configuration, whole. */
function judgeSpec(oracle: Oracle, { spec }: SpawnAction): void {
  const number = Number(spec.env['NUMBER']);
  const settings = SETTINGS[number];
  const fits =
    oracle.revisions.get(spec.revision) === number &&
    spec.image === settings?.image &&
    spec.command[1] === String(number) &&
    spec.memoryBytes === memoryOf(number) &&
    spec.cpus === oracle.known.settings.cpus;
  if (!fits) oracle.fail('P10', `${spec.name} is of more than one configuration: ${JSON.stringify(spec)}`);
}

/** Whether what was made may yet run: it is being started, or was asked to start so lately that it may yet be, by a daemon before this one too. */
function mayRun({ known, asked, clock }: Oracle, container: FakeContainer): boolean {
  const { list, made, givenUp } = known;
  const { id } = container;
  const { monoMs, bootMs } = clock.now();
  if (list?.has(id) !== true && !made.has(id)) return false;
  const askedMs = asked.get(id);
  if (askedMs !== undefined) return monoMs - askedMs < LONGEST_START_MS;
  if (made.has(id)) return !givenUp.has(firstName(container));
  return bootMs - bornBootMs(container) < NEVER_STARTED_MS;
}

/** Never more than the cap and the CPUs allow, those counted that are on their way. */
function judgeNumber(oracle: Oracle, spawns: readonly SpawnAction[]): void {
  const { known } = oracle;
  const there = oracle.own().filter((container) => {
    if (container.state === 'created') return mayRun(oracle, container);
    return isAlive(container) && isOwn(container);
  });
  // One that has ended needs no slot, even if the answer to its start is not there yet.
  const names = new Set(oracle.own().map(firstName));
  const coming = [...known.starting].filter(([name]) => !names.has(name));
  const number = there.length + coming.length + spawns.length;
  if (number > oracle.cap) oracle.fail('P2-reserved', `${number} pilots would be there, the cap is ${oracle.cap}`);
  const cpus =
    cpusOf(there) +
    coming.reduce((sum, [, size]) => sum + size, 0) +
    spawns.reduce((sum, { spec }) => sum + spec.cpus, 0);
  const sample = deciding(oracle);
  const starting = ((sample?.starts ?? 0) * START_COST * 1000) / (sample?.spanMs ?? 1);
  const foreign = known.settings.evict === 'never' ? 0 : Math.max(0, (sample?.foreign ?? 0) - starting);
  if (cpus > roomBeside(foreign) + EPSILON) {
    oracle.fail('P2-reserved', `${cpus} CPUs of pilots beside ${foreign} of others`);
  }
}

function judgePace(oracle: Oracle, spawns: readonly SpawnAction[]): void {
  const { known, clock } = oracle;
  const replacing = spawns.filter(({ reason }) => reason === 'replacement').length;
  const growing = spawns.filter(({ reason }) => reason === 'growth').length;
  const more = spawns.length - replacing;
  known.grown += growing;
  if (known.grown > known.step) oracle.fail('P9', `${known.grown} more by one sample, the step is ${known.step}`);
  known.replacements += replacing;
  const gone = [...known.seen].filter((id) => {
    const container = oracle.find(id);
    return container === undefined || !isAlive(container) || !isOwn(container);
  });
  if (known.replacements > gone.length) {
    oracle.fail('P9', `${known.replacements} replacements of ${gone.length} that have gone`);
  }
  if (more === 0) return;
  const { evictedAtMs, resources } = known;
  // A probe is no growth: it stands for those that have ended since.
  if (growing > 0 && evictedAtMs !== undefined && clock.now().monoMs - evictedAtMs < 1000 * TIMES.graceSpawn) {
    oracle.fail('P9', `${growing} more right after an eviction`);
  }
  if (resources?.memory === undefined) oracle.fail('P3', `${more} more while the memory is not known`);
  else if ((resources.memory?.availableBytes ?? 0) < 1e9) oracle.fail('P3', `${more} more while memory is short`);
}
