import { createRandom } from '../../src/simulate/random.js';
import type { EngineFailure, SeenMode } from '../../src/model.js';
import type { Method } from '../support/faulty-calls.js';
import { BAD_CONFIGS, RULES, SETTINGS } from './configurations.js';

/** What becomes of a request: it is executed so long after it has arrived, or never; then the answer takes its time, or is an error. Ms. */
export interface Fate {
  readonly executeMs: number | undefined;
  readonly replyMs: number;
  /** What the client is told instead of the truth; undefined and not executed: nothing. */
  readonly error: EngineFailure['kind'] | undefined;
}

export type OperatorAct = 'kill' | 'remove' | 'rename' | 'pause' | 'unpause';

/** One thing that happens. `which` chooses among the pilots there are. */
export type Step =
  | { readonly do: 'tick'; readonly ms: number }
  | {
      readonly do: 'fault';
      readonly method: Method | 'any';
      readonly skip: number;
      readonly times: number;
      readonly fate: Fate;
    }
  | { readonly do: 'heal' }
  | { readonly do: 'engine-restart'; readonly liveRestore: boolean; readonly awayMs: number }
  | { readonly do: 'kill-daemon'; readonly downMs: number }
  | { readonly do: 'exit'; readonly which: number; readonly code: number }
  | { readonly do: 'stick'; readonly which: number }
  | { readonly do: 'foreign'; readonly kind: number }
  | { readonly do: 'operator'; readonly act: OperatorAct; readonly which: number }
  | { readonly do: 'push'; readonly number: number }
  | { readonly do: 'push-bad'; readonly number: number }
  | { readonly do: 'rules'; readonly number: number }
  | { readonly do: 'mode'; readonly mode: SeenMode }
  | { readonly do: 'wall'; readonly ms: number }
  | { readonly do: 'suspend'; readonly ms: number }
  | { readonly do: 'memory'; readonly state: 'plenty' | 'short' | 'unknown' }
  | { readonly do: 'load'; readonly cpus: number | undefined }
  | { readonly do: 'lifetime'; readonly ms: number | undefined }
  | { readonly do: 'events'; readonly lost: boolean }
  /** An event that tells of nothing new. */
  | { readonly do: 'say'; readonly which: number }
  | { readonly do: 'source'; readonly away: boolean }
  | { readonly do: 'image'; readonly here: boolean }
  | { readonly do: 'registry'; readonly has: boolean };

export interface Schedule {
  readonly seed: number;
  readonly steps: readonly Step[];
  /** How it ends, after everything has been healed. */
  readonly ending: 'active' | 'drain-stop' | 'force-stop';
}

type Random = () => number;

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}

const METHODS: readonly Method[] = [
  'info',
  'listPilots',
  'createPilot',
  'settingsOf',
  'startPilot',
  'stopPilot',
  'pausePilot',
  'unpausePilot',
  'removePilot',
  'pilotEnd',
  'followEnds',
  'findImage',
  'pullImage',
];
const ERRORS: readonly EngineFailure['kind'][] = [
  'unreachable',
  'timeout',
  'not-found',
  'invalid',
  'conflict',
  'refused',
  'malformed',
];
const WAITS = [1, 300, 2_000, 7_000, 20_000, 90_000];

function anyFate(random: Random): Fate {
  const error = pick(random, ERRORS);
  switch (Math.floor(random() * 6)) {
    case 0:
      return { executeMs: undefined, replyMs: 0, error };
    case 1:
      return { executeMs: undefined, replyMs: 0, error: undefined };
    case 2:
      return { executeMs: 0, replyMs: pick(random, [0, 5_000]), error };
    case 3:
      return { executeMs: pick(random, WAITS), replyMs: 0, error: undefined };
    case 4:
      return { executeMs: 0, replyMs: pick(random, WAITS), error: undefined };
    default:
      return { executeMs: pick(random, WAITS), replyMs: pick(random, WAITS), error: undefined };
  }
}

function anyFault(random: Random): Step {
  const method = random() < 0.2 ? 'any' : pick(random, METHODS);
  return {
    do: 'fault',
    method,
    skip: pick(random, [0, 0, 0, 1, 3]),
    times: pick(random, [1, 1, 2, 5, 20, 200]),
    fate: anyFate(random),
  };
}

/** Weights of what happens, beside time. */
const OTHERS: readonly (readonly [number, (random: Random) => Step])[] = [
  [24, anyFault],
  [6, () => ({ do: 'heal' })],
  [3, (r) => ({ do: 'engine-restart', liveRestore: r() < 0.5, awayMs: pick(r, [0, 1_000, 15_000, 60_000]) })],
  [4, (r) => ({ do: 'kill-daemon', downMs: pick(r, [0, 0, 1_000, 45_000, 400_000]) })],
  [18, (r) => ({ do: 'exit', which: Math.floor(r() * 64), code: pick(r, [0, 0, 1, 127, 137]) })],
  [1, (r) => ({ do: 'stick', which: Math.floor(r() * 64) })],
  [2, (r) => ({ do: 'foreign', kind: Math.floor(r() * 6) })],
  [
    6,
    (r) => ({
      do: 'operator',
      act: pick(r, ['kill', 'remove', 'rename', 'pause', 'unpause']),
      which: Math.floor(r() * 64),
    }),
  ],
  [6, (r) => ({ do: 'push', number: Math.floor(r() * SETTINGS.length) })],
  [2, (r) => ({ do: 'push-bad', number: Math.floor(r() * BAD_CONFIGS.length) })],
  [2, (r) => ({ do: 'rules', number: pick(r, [0, 0, 0, 1, 2, RULES.length - 1]) })],
  [
    6,
    (r) => ({
      do: 'mode',
      mode: pick(r, ['active', 'active', 'active', 'drain', 'drain-stop', 'force-stop', 'unknown']),
    }),
  ],
  [2, (r) => ({ do: 'wall', ms: pick(r, [-3.2e11, -5_000, 5_000, 3.2e11]) })],
  [2, (r) => ({ do: 'suspend', ms: pick(r, [1_000, 60_000, 2_000_000]) })],
  [4, (r) => ({ do: 'memory', state: pick(r, ['plenty', 'plenty', 'short', 'unknown']) })],
  [8, (r) => ({ do: 'load', cpus: pick(r, [0, 0, 0.4, 1, 3, 6, 8, undefined]) })],
  [4, (r) => ({ do: 'lifetime', ms: pick(r, [undefined, undefined, 1_000, 8_000, 120_000]) })],
  [2, (r) => ({ do: 'events', lost: r() < 0.5 })],
  [2, (r) => ({ do: 'say', which: Math.floor(r() * 64) })],
  [2, (r) => ({ do: 'source', away: r() < 0.4 })],
  [1, (r) => ({ do: 'image', here: r() < 0.6 })],
  [2, (r) => ({ do: 'registry', has: r() < 0.6 })],
];
const TOTAL = OTHERS.reduce((sum, [weight]) => sum + weight, 0);

/** How much of a schedule is time that passes. */
const TIME = 0.55;

function anyStep(random: Random): Step {
  if (random() < TIME) return { do: 'tick', ms: pick(random, [50, 500, 1_000, 3_000, 10_000, 10_000, 30_000]) };
  let left = random() * TOTAL;
  for (const [weight, make] of OTHERS) {
    left -= weight;
    if (left < 0) return make(random);
  }
  return { do: 'heal' };
}

/** An engine that is slow all along, or at times cannot be asked. */
function anyTemper(random: Random): readonly Step[] {
  const slow = {
    executeMs: pick(random, [300, 2_000, 7_000]),
    replyMs: pick(random, [0, 300, 2_000]),
    error: undefined,
  };
  const deaf = { executeMs: undefined, replyMs: 0, error: pick(random, ERRORS) };
  const all = { do: 'fault', skip: 0, times: 200 } as const;
  return [
    ...(random() < 0.3 ? [{ ...all, method: 'createPilot', fate: slow } as const] : []),
    ...(random() < 0.2 ? [{ ...all, method: 'startPilot', fate: slow } as const] : []),
    ...(random() < 0.1 ? [{ ...all, method: 'removePilot', fate: slow } as const] : []),
    ...(random() < 0.2 ? [{ ...all, method: 'listPilots', skip: 20, times: 20, fate: deaf } as const] : []),
  ];
}

/** The schedule of a seed; always the same. */
export function scheduleOf(seed: number, length: number): Schedule {
  const random = createRandom(seed);
  const ending = pick(random, ['active', 'active', 'active', 'active', 'drain-stop', 'force-stop'] as const);
  const temper = anyTemper(random);
  return { seed, ending, steps: [...temper, ...Array.from({ length: length - temper.length }, () => anyStep(random))] };
}
