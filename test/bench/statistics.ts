/** The middle value, the upper one of two; NaN of nothing. */
export function median(values: readonly number[]): number {
  return sorted(values)[Math.floor(values.length / 2)] ?? NaN;
}

/** The least value that `share` (0 to 1) of all do not exceed (nearest rank); NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  return sorted(values)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** By how much values taken at equal distances grow from one to the next (least squares). */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const average = mean(values);
  const covariance = values.reduce((sum, value, index) => sum + (index - middle) * (value - average), 0);
  const variance = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  return covariance / variance;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
