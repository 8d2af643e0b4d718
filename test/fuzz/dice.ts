import { createRandom } from '../../src/simulate/random.js';

/** Seeded chance: the same seed, the same throws. */
export interface Dice {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Each with this probability, in their order. */
  some<T>(list: readonly T[], probability: number): readonly T[];
  times<T>(most: number, make: () => T): readonly T[];
}

export function createDice(seed: number): Dice {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    below,
    chance: (probability) => random() < probability,
    pick<T>(list: readonly T[]) {
      if (list.length === 0) throw new RangeError('nothing to pick from');
      return list[below(list.length)] as T;
    },
    some: (list, probability) => list.filter(() => random() < probability),
    times: (most, make) => Array.from({ length: below(most + 1) }, make),
  };
}
