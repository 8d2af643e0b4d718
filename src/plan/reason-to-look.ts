import type { Outcome } from '../model.js';

/**
 * What the next cycle should not wait for: room made by an eviction or an expiry, an image that has come, a pilot that others wait for. The slot
 * of a pilot that ended by itself was filled in the cycle that saw it, and what failed is tried again on the timer, so that nothing turns into
 * a storm.
 */
export function isReasonToLook({ action, result }: Outcome): boolean {
  if (result !== 'done') return false;
  if (action.type === 'spawn') return action.reason === 'probe';
  if (action.type !== 'remove') return action.type === 'pull';
  return action.reason !== 'exited' && action.reason !== 'never-started';
}
