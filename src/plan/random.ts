/**
 * One step of a 32-bit mixing generator (mulberry32): names and pauses need to differ from host to host, not to be secret.
 * `seed` and `value` are whole numbers from 0 to 2^32 - 1.
 */
export function nextRandom(seed: number): { readonly value: number; readonly seed: number } {
  const next = (seed + 0x6d2b79f5) >>> 0;
  let t = next;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return { value: (t ^ (t >>> 14)) >>> 0, seed: next };
}
