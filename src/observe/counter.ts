/**
 * What a counter that only rises has gained between two readings; undefined where that cannot be told: it fell, or it
 * was there in one reading only. A counter that is in neither counts nothing.
 */
export function counterGain(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined && after === undefined) return 0;
  if (before === undefined || after === undefined || after < before) return undefined;
  return after - before;
}
