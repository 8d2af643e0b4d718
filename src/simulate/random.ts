/** A small seeded generator (xorshift32): the same seed, the same numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  // The generator cannot start from 0, and small seeds give poor first numbers.
  let x = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
