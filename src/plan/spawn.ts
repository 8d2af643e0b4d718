import type { Config } from '../config/schema.js';
import type { Capacity, Hold } from '../decision.js';
import {
  countedCpus,
  EPSILON,
  isStale,
  peakForeign,
  room as roomFor,
  slackInForce,
  tolerable as tolerableFor,
} from './capacity.js';
import { breakerHold, isOpen, permits } from './breaker.js';
import { effectsHold, healthyStarts } from './effects.js';
import { diskGate, growthGate, modeGate, policyGate, type Gate } from './gates.js';
import type { Permits } from './growth.js';
import type { Situation } from './situation.js';
import type { BreakerMemory, LastEviction, Tokens } from './state.js';

/** How many pilots to start now, split by what permits them, and why not more. */
export interface SpawnPlan {
  readonly growth: number;
  readonly replacement: number;
  readonly probe: number;
  readonly holds: readonly Hold[];
  readonly tokens: Tokens;
}

function cpusText(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}

/** The numbers of this cycle: what the host has, what others use, what fits. */
export function measureCapacity({ config, observation, samples, census }: Situation): Capacity {
  const { sample, yields, at, host } = observation;
  const cpus = countedCpus(config, sample?.cpus ?? host.ncpus);
  const slack = slackInForce(config, cpus, yields);
  const foreign = samples.at(-1)?.foreign;
  const peak = peakForeign(config, samples, at.monoMs);
  const room = peak === undefined ? undefined : roomFor(config, cpus, slack, peak);
  const fitting = room === undefined ? undefined : Math.floor(Math.max(0, room) / config.cpus_per_dock + EPSILON);
  return {
    cpus,
    slack,
    foreign,
    peakForeign: peak,
    room,
    tolerable: foreign === undefined ? undefined : tolerableFor(config, cpus, slack, foreign),
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

/** What forbids any start, before numbers are compared; undefined = nothing. */
function closedGate({ config, observation, samples, source, effects }: Situation): Hold | undefined {
  const newest = samples.at(-1);
  const asked = modeGate(observation.mode) ?? policyGate(observation.policy);
  if (asked !== undefined) return asked;
  if (newest === undefined) return { gate: 'no-sample', text: 'the load of the host is not known yet' };
  if (isStale(config, newest.monoMs, observation.at.monoMs)) {
    return { gate: 'stale-sample', text: 'the load of the host could not be read for three loops' };
  }
  if (source === undefined) {
    const why = observation.imageFailure === undefined ? '' : `: ${observation.imageFailure.message}`;
    const known = observation.image === null ? 'is not on this host' : `could not be looked up${why}`;
    const disk = observation.image === null ? diskGate({ config, observation }) : undefined;
    const held = disk === undefined ? '' : `, and is not pulled: ${disk.hold.text}`;
    return { gate: 'image', text: `image ${config.docker_image} ${known}${held}` };
  }
  return healthyStarts(effects, observation) === 0 ? effectsHold(effects, observation.at.monoMs) : undefined;
}

/** `starting` = pilots asked for in this cycle; they count already. */
function limitHold(config: Config, capacity: Capacity, free: { byCap: number; byCpu: number }, starting: number): Hold {
  const counted =
    starting === 0 ? `${capacity.pilots} pilots` : `${capacity.pilots} pilots and ${starting} being started`;
  if (free.byCap <= free.byCpu) return { gate: 'cap', text: `${counted}, max_docks ${config.max_docks}` };
  const others = `others used up to ${cpusText(capacity.peakForeign ?? 0)} (slack ${cpusText(capacity.slack)})`;
  const parts = [
    `${capacity.cpus} CPUs`,
    ...(config.cpu_headroom > 0 ? [`${cpusText(config.cpu_headroom)} are left free (cpu_headroom)`] : []),
    // Where the host is given to pilots others are not held against them.
    ...(config.evict === 'never' ? [] : [others]),
    `pilots hold ${cpusText(capacity.promised)}`,
    `one more takes ${cpusText(config.cpus_per_dock)}`,
  ];
  return { gate: 'foreign-cpu', text: parts.join(', ') };
}

/** Why growth is not permitted now, although pilots would fit. */
function coolDownHold(last: LastEviction | undefined, nowMs: number): Hold | undefined {
  if (last === undefined || nowMs - last.atMs >= last.holdMs) return undefined;
  const left = Math.ceil((last.holdMs - (nowMs - last.atMs)) / 1000);
  return { gate: 'cool-down', text: `no growth for another ${left} s after an eviction` };
}

function paceHold(config: Config, { step }: Permits['growth']): Hold {
  const doubling = config.growth === 'doubling' ? ', growth doubling' : '';
  const text = `${step} more after each look at the host (docks_per_loop ${config.docks_per_loop}${doubling})`;
  return { gate: 'pace', text };
}

/** What stands in the way of starting as many as fit. */
interface Limits {
  readonly breaker: BreakerMemory;
  /** By experience. */
  readonly allowed: number;
  readonly coolDown: Hold | undefined;
  readonly gate: Gate | undefined;
  readonly pace: Permits['growth'];
}

/** Why not all that fit are started; `starting` are, `more` of them for growth or as a probe. */
function whyNotAll(
  { config, observation, effects }: Situation,
  limits: Limits,
  starting: number,
  more: number,
): readonly Hold[] {
  const { breaker, allowed, coolDown, gate, pace } = limits;
  const holds: Hold[] = [];
  const { at } = observation;
  if (effects.hold !== undefined) holds.push(effectsHold(effects, at.monoMs));
  else if (starting >= allowed) holds.push(breakerHold(config, breaker, at.bootMs));
  if (coolDown !== undefined) holds.push(coolDown);
  else if (gate !== undefined && more >= gate.most) holds.push(gate.hold);
  return holds.length > 0 ? holds : [paceHold(config, pace)];
}

/**
 * How many to start: as many as fit by cap and CPUs and as experience allows, at most one per replacement permit plus, unless growth is held
 * after an eviction, one per growth permit, as far as there is memory and disk for more. `last` = the latest eviction, this cycle's included.
 */
export function planSpawns(
  situation: Situation,
  { tokens, growth: pace }: Permits,
  breaker: BreakerMemory,
  last: LastEviction | undefined,
): SpawnPlan {
  const { config, observation, census, effects } = situation;
  const closed = closedGate(situation);
  if (closed !== undefined) return { growth: 0, replacement: 0, probe: 0, holds: [closed], tokens };

  const capacity = measureCapacity(situation);
  const free = freeSlots(config, capacity);
  const fitting = Math.min(free.byCap, free.byCpu);
  const healthy = healthyStarts(effects, observation);
  const probing = isOpen(breaker) || healthy < Infinity;
  const allowed = Math.min(permits(breaker, census, observation.at.bootMs), healthy);
  const coolDown = coolDownHold(last, observation.at.monoMs);
  const replacement = probing ? 0 : Math.min(fitting, tokens.replacement, allowed);
  const gate = growthGate(situation, replacement);
  const permitted = Math.min(probing ? allowed : tokens.growth, gate?.most ?? Infinity);
  const more = coolDown === undefined ? Math.min(fitting - replacement, permitted, allowed - replacement) : 0;
  const starting = replacement + more;
  const growth = probing ? 0 : more;
  return {
    growth,
    replacement,
    probe: more - growth,
    holds:
      starting === fitting
        ? [limitHold(config, capacity, free, starting)]
        : whyNotAll(situation, { breaker, allowed, coolDown, gate, pace }, starting, more),
    tokens: { growth: tokens.growth - growth, replacement: tokens.replacement - replacement },
  };
}
