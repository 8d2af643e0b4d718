import { appendFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { createDice, type Dice } from './dice.js';

/** Inputs for each target; `npm run faults` asks for more. */
const INPUTS = Number(process.env['PLANCTON_FUZZ_INPUTS'] ?? 100_000);
const SEED = Number(process.env['PLANCTON_FUZZ_SEED'] ?? 20_161_116);
/** A file that gets one line of JSON for each target. */
const OUT = process.env['PLANCTON_FUZZ_OUT'];
/** Fewer inputs that mean something, and what lies behind the first check of a reader is never reached. */
const LEAST_TAKEN = 0.3;

/** A reader that has not come back by then never will. */
const PATIENCE_MS = 60_000;

/** What feeding a target came to. */
export interface FuzzResult {
  readonly name: string;
  readonly inputs: number;
  readonly seed: number;
  /** Part of the inputs that were good. */
  readonly taken: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

export interface FuzzTarget<Input> {
  readonly name: string;
  readonly make: (dice: Dice) => Input;
  /** True: the input was taken; false: it was refused in good order. Throws, or fails an expectation, where there is a bug. */
  readonly feed: (input: Input) => boolean | Promise<boolean>;
  /** For targets that cost more than the rest: this part of the inputs. */
  readonly share?: number;
}

/** What can be reached from any object: a reader that writes here has given strangers a hold on everything. */
function globals(): string {
  const names = [Object.prototype, Array.prototype, String.prototype, Function.prototype].map((prototype) =>
    Object.getOwnPropertyNames(prototype).join(),
  );
  return names.join('|');
}

/** Rejects when `progress` has stood still for too long. */
function watchFor(progress: () => number): { readonly stuck: Promise<never>; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, reject) => {
    let before = -1;
    timer = setInterval(() => {
      if (progress() === before) reject(new Error(`it has not come back for ${PATIENCE_MS / 1000} s`));
      before = progress();
    }, PATIENCE_MS);
  });
  stuck.catch(() => undefined);
  return {
    stuck,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Feeds a target with inputs made from one seed; one that it fails on is told, with the seed that makes it alone. */
export async function fuzz<Input>({ name, make, feed, share = 1 }: FuzzTarget<Input>): Promise<void> {
  const count = Math.ceil(INPUTS * share);
  const before = globals();
  const times = new Float64Array(count);
  let taken = 0;
  let index = 0;
  const { stuck, stop } = watchFor(() => index);
  onTestFinished(stop);
  for (; index < count; index += 1) {
    const seed = (SEED + index) >>> 0;
    const input = make(createDice(seed));
    const beganMs = performance.now();
    try {
      const fed = feed(input);
      if (typeof fed === 'boolean' ? fed : await Promise.race([fed, stuck])) taken += 1;
    } catch (error) {
      const shown = JSON.stringify(input).slice(0, 2000);
      throw new Error(`${name}: input ${index} (seed ${seed}) is a bug: ${shown}`, { cause: error });
    }
    times[index] = performance.now() - beganMs;
  }
  times.sort();
  const result: FuzzResult = {
    name,
    inputs: count,
    seed: SEED,
    taken: taken / count,
    p99Ms: times[Math.floor(count * 0.99)] ?? NaN,
    worstMs: times[count - 1] ?? NaN,
  };
  if (OUT !== undefined) appendFileSync(OUT, `${JSON.stringify(result)}\n`);
  expect(globals(), `${name} has changed what all objects share`).toBe(before);
  expect(result.taken, `too few inputs of ${name} mean anything`).toBeGreaterThanOrEqual(LEAST_TAKEN);
}
