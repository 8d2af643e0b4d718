import type { FaultCase } from './cases.js';

/** An answer without a body is complete with its head, whatever becomes of the rest. */
const harmlessToAHead = new Set([
  ...['stall after the head', 'drip', 'cut at byte 1', 'half-closed at byte 40', 'ended at byte 1'],
]);
/** What is gone need not be looked into or removed any more. */
const goneIsFine = new Set(['inspect what was stopped', 'delete', 'removal of an image']);
/**
 * Whose failure nobody has to know of: an image without its mark stays for ever, what is not removed now is removed later, and a post-mortem
 * without a log says so itself.
 */
const nobodyNeeds = new Set(['list of images', 'mark of an image', 'log']);
/**
 * Nor this: a pilot whose statistics are not known counts at its full size; a stream that breaks once is opened again; who could not be
 * stopped is killed and removed, and that is what is told.
 */
const toldOtherwise = new Set(['stats', 'events', 'stop']);
/** Where the answer says nothing of use the engine is asked whether it is so; where it lies, the next list shows it, and it is asked again. */
const lookedAfter = new Set(['pause', 'unpause']);

/** Somebody else has a use for it. */
function isKept(name: string, faultName: string): boolean {
  return name === 'removal of an image' && faultName === '409';
}

function isLookedAfter({ endpoint, fault, faultName }: FaultCase): boolean {
  return lookedAfter.has(endpoint.name) && (fault.forward || harmlessToAHead.has(faultName));
}

/** Whether there is nothing to tell: what was asked for is so all the same, or nobody needs it. */
export function mayBeSilent(tried: FaultCase): boolean {
  const { endpoint, fault, faultName } = tried;
  const { name, reply } = endpoint;
  if (nobodyNeeds.has(name) || toldOtherwise.has(name) || isKept(name, faultName)) return true;
  if (isLookedAfter(tried)) return true;
  if (faultName === '404') return goneIsFine.has(name);
  if (reply === 'stream') return faultName === 'every line twice';
  if (reply !== 'status') return false;
  // There is no telling it from "done"; the next look at the list finds what was not done.
  if (faultName === '200 empty') return true;
  return fault.forward && harmlessToAHead.has(faultName);
}
