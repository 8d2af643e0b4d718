import type { Config } from '../config/schema.js';
import type { Capacity, FailingPilots, GateReading, Hold } from '../decision.js';
import {
  countedCpus,
  EPSILON,
  peakForeign,
  room as roomFor,
  slackInForce,
  tolerable as tolerableFor,
} from './capacity.js';
import { backOffMs, breakerHold, failingPilots, isOpen, permits } from './breaker.js';
import { effectsHold, healthyStarts } from './effects.js';
import { growthGates, imageGate, isShut, loadGate, modeGate, policyGate, type Gate } from './gates.js';
import type { Permits } from './growth.js';
import type { Situation } from './situation.js';
import type { BreakerMemory, LastEviction, Tokens } from './state.js';

/** How many pilots to start now, split by what permits them, and why not more. */
export interface SpawnPlan {
  readonly growth: number;
  readonly replacement: number;
  readonly probe: number;
  readonly holds: readonly Hold[];
  readonly gates: readonly GateReading[];
  /** Why pilots are tried one at a time; undefined also where none is tried for another reason. */
  readonly failing: FailingPilots | undefined;
  readonly tokens: Tokens;
}

function cpusText(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}

/** The numbers of this cycle: what the host has, what others use, what fits. */
export function measureCapacity({ config, observation, samples, census }: Situation): Capacity {
  const { sample, yields, at, host } = observation;
  const online = sample?.cpus ?? host.ncpus;
  const cpus = countedCpus(config, online);
  const slack = slackInForce(config, online, yields);
  const foreign = samples.at(-1)?.foreign;
  const peak = peakForeign(config, samples, at.monoMs);
  const room = peak === undefined ? undefined : roomFor(config, online, slack, peak);
  const fitting = room === undefined ? undefined : Math.floor(Math.max(0, room) / config.cpus_per_dock + EPSILON);
  return {
    cpus,
    slack,
    foreign,
    peakForeign: peak,
    room,
    tolerable: foreign === undefined ? undefined : tolerableFor(config, online, slack, foreign),
    promised: census.promised,
    pilots: census.count,
    maxDocks: config.max_docks,
    admissible: fitting === undefined ? undefined : Math.min(config.max_docks, fitting),
  };
}

/** Pilots that fit beside those there are, by number (`max_docks`) and by CPUs. Never negative. */
function freeSlots(config: Config, capacity: Capacity): { readonly byCap: number; readonly byCpu: number } {
  const byCap = Math.max(0, config.max_docks - capacity.pilots);
  const left = (capacity.room ?? 0) - capacity.promised;
  return { byCap, byCpu: Math.max(0, Math.floor(left / config.cpus_per_dock + EPSILON)) };
}

/** What may forbid any start, before numbers are compared. */
function prerequisites(situation: Situation): readonly Gate[] {
  const { observation, samples, effects } = situation;
  const { monoMs } = observation.at;
  const healthy = healthyStarts(effects, observation);
  const hangs: Hold =
    healthy < Infinity
      ? effectsHold(effects, monoMs)
      : { gate: 'engine-effects', text: 'the container engine does what it is asked to' };
  return [
    modeGate(observation.mode),
    policyGate(observation.policy),
    loadGate(situation, samples.at(-1)?.monoMs),
    imageGate(situation),
    { most: healthy, hold: hangs },
  ];
}

function cpuText(config: Config, capacity: Capacity): string {
  const [now, lately] = [capacity.foreign ?? 0, capacity.peakForeign ?? 0].map(cpusText);
  const others = `others use ${now}, up to ${lately} lately (slack ${cpusText(capacity.slack)})`;
  return [
    `${capacity.cpus} CPUs`,
    ...(config.cpu_headroom > 0 ? [`${cpusText(config.cpu_headroom)} are left free (cpu_headroom)`] : []),
    // Where the host is given to pilots others are not held against them.
    ...(config.evict === 'never' ? [] : [others]),
    `pilots hold ${cpusText(capacity.promised)}`,
    `one more takes ${cpusText(config.cpus_per_dock)}`,
  ].join(', ');
}

/** `starting` = pilots asked for in this cycle; they count already. */
function limitHold(config: Config, capacity: Capacity, free: { byCap: number; byCpu: number }, starting: number): Hold {
  const counted =
    starting === 0 ? `${capacity.pilots} pilots` : `${capacity.pilots} pilots and ${starting} being started`;
  if (free.byCap <= free.byCpu) return { gate: 'cap', text: `${counted}, max_docks ${config.max_docks}` };
  return { gate: 'foreign-cpu', text: cpuText(config, capacity) };
}

/** How long growth is held yet after an eviction. */
function coolDownMs(last: LastEviction | undefined, nowMs: number): number {
  return last === undefined ? 0 : Math.max(0, last.atMs + last.holdMs - nowMs);
}

/** Why growth is not permitted now, although pilots would fit. */
function coolDownHold(leftMs: number): Hold | undefined {
  if (leftMs === 0) return undefined;
  return { gate: 'cool-down', text: `no growth for another ${Math.ceil(leftMs / 1000)} s after an eviction` };
}

function paceHold(config: Config, { step }: Permits['growth']): Hold {
  const doubling = config.growth === 'doubling' ? ', growth doubling' : '';
  const text = `${step} more after each look at the host (docks_per_loop ${config.docks_per_loop}${doubling})`;
  return { gate: 'pace', text };
}

const NO_COOL_DOWN: Hold = { gate: 'cool-down', text: 'no pilot had to go lately' };

/** Whatever can stand in the way of starting as many as fit. */
interface Limits {
  readonly capacity: Capacity;
  readonly free: { readonly byCap: number; readonly byCpu: number };
  /** Before numbers are compared. */
  readonly prior: readonly Gate[];
  /** For growth alone. */
  readonly resources: readonly Gate[];
  /** By experience. */
  readonly learnt: number;
  /** By that and the engine's health. */
  readonly allowed: number;
  readonly breaker: BreakerMemory;
  readonly coolDown: Hold | undefined;
  readonly coolDownLeftMs: number;
  readonly permits: Permits;
}

/** The narrowest; of those that are as narrow as another the first. */
function narrowest(gates: readonly Gate[]): Gate | undefined {
  return gates.reduce<Gate | undefined>(
    (found, gate) => (found === undefined || gate.most < found.most ? gate : found),
    undefined,
  );
}

/** Why not all that fit are started; `starting` are, `more` of them for growth or as a probe. */
function whyNotAll(
  { config, observation, effects }: Situation,
  { breaker, allowed, coolDown, resources, permits: { growth } }: Limits,
  starting: number,
  more: number,
): readonly Hold[] {
  const holds: Hold[] = [];
  const { at } = observation;
  if (effects.hold !== undefined) holds.push(effectsHold(effects, at.monoMs));
  else if (starting >= allowed) holds.push(breakerHold(config, breaker, at.bootMs));
  const gate = narrowest(resources);
  if (coolDown !== undefined && !isOpen(breaker)) holds.push(coolDown);
  else if (gate !== undefined && more >= gate.most) holds.push(gate.hold);
  return holds.length > 0 ? holds : [paceHold(config, growth)];
}

/** All of it, for people to read. */
function readGates({ config, observation }: Situation, limits: Limits): readonly GateReading[] {
  const {
    capacity,
    free,
    prior,
    resources,
    learnt,
    breaker,
    coolDown,
    coolDownLeftMs,
    permits: { tokens, growth },
  } = limits;
  const cap = `${capacity.pilots} pilots hold a slot, max_docks ${config.max_docks}`;
  const lived = 'pilots live for longer than fizzle_seconds';
  const experience = learnt < Infinity ? breakerHold(config, breaker, observation.at.bootMs).text : lived;
  const pace = `${tokens.replacement} to replace those that ended, ${tokens.growth} for growth; ${paceHold(config, growth).text}`;
  const gates: readonly Gate[] = [
    ...prior,
    { most: free.byCap, hold: { gate: 'cap', text: cap } },
    { most: free.byCpu, hold: { gate: 'foreign-cpu', text: cpuText(config, capacity) } },
    ...resources,
    { most: learnt, leftMs: backOffMs(breaker, observation.at.bootMs), hold: { gate: 'back-off', text: experience } },
    {
      most: coolDown === undefined ? Infinity : tokens.replacement,
      leftMs: coolDownLeftMs,
      hold: coolDown ?? NO_COOL_DOWN,
    },
    { most: tokens.replacement + tokens.growth, hold: { gate: 'pace', text: pace } },
  ];
  return gates.map(({ most, leftMs, hold: { gate, text } }) => ({
    gate,
    most: most === Infinity ? null : most,
    ...(leftMs === undefined ? {} : { leftMs }),
    text,
  }));
}

/**
 * How many to start: as many as fit by cap and CPUs and as experience allows, at most one per replacement permit plus, unless growth is held
 * after an eviction, one per growth permit, as far as there is memory and disk for more. `last` = the latest eviction, this cycle's included.
 */
export function planSpawns(
  situation: Situation,
  allowance: Permits,
  breaker: BreakerMemory,
  last: LastEviction | undefined,
): SpawnPlan {
  const { config, observation, census, effects } = situation;
  const { tokens } = allowance;
  const capacity = measureCapacity(situation);
  const free = freeSlots(config, capacity);
  const fitting = Math.min(free.byCap, free.byCpu);
  const healthy = healthyStarts(effects, observation);
  const probing = isOpen(breaker) || healthy < Infinity;
  const learnt = permits(breaker, census, observation.at.bootMs);
  const allowed = Math.min(learnt, healthy);
  const coolDownLeftMs = coolDownMs(last, observation.at.monoMs);
  const coolDown = coolDownHold(coolDownLeftMs);
  const replacement = probing ? 0 : Math.min(fitting, tokens.replacement, allowed);
  const prior = prerequisites(situation);
  const resources = growthGates(situation, replacement);
  const limits: Limits = {
    ...{ capacity, free, prior, resources, learnt, allowed, breaker, coolDown, coolDownLeftMs },
    permits: allowance,
  };
  const gates = readGates(situation, limits);
  const closed = prior.find(isShut);
  if (closed !== undefined) {
    return { growth: 0, replacement: 0, probe: 0, holds: [closed.hold], gates, failing: undefined, tokens };
  }

  const permitted = Math.min(probing ? allowed : tokens.growth, narrowest(resources)?.most ?? Infinity);
  // A probe is not growth: it stands for those that have ended since.
  const more =
    coolDown === undefined || probing ? Math.min(fitting - replacement, permitted, allowed - replacement) : 0;
  const starting = replacement + more;
  const growth = probing ? 0 : more;
  return {
    growth,
    replacement,
    probe: more - growth,
    holds:
      starting === fitting
        ? [limitHold(config, capacity, free, starting)]
        : whyNotAll(situation, limits, starting, more),
    gates,
    failing: config.max_docks === 0 ? undefined : failingPilots(breaker),
    tokens: { growth: tokens.growth - growth, replacement: tokens.replacement - replacement },
  };
}
