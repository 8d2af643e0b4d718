import type { RegistryFault } from '../support/faulty-registry.js';

/** One thing that is wrong with a registry. */
export interface RegistryCase {
  readonly name: string;
  readonly fault: RegistryFault;
  /** What the status must say; undefined: the image comes, if late. */
  readonly told: RegExp | undefined;
  /** The engine tries again and again by itself before it says so, for more than a minute. */
  readonly takesLong?: boolean;
  /** It is asked again too late for a test to see it. */
  readonly asksLate?: boolean;
}

export const registryCases: readonly RegistryCase[] = [
  { name: '401, no credentials', fault: 'manifests 401', told: /does not let this host have/ },
  { name: '404, no such image', fault: 'manifests 404', told: /has no image/ },
  { name: '429, asked too often', fault: 'manifests 429', told: /limits how often/, asksLate: true },
  { name: '500', fault: 'manifests 500', told: /errors of its own/ },
  { name: '503', fault: 'manifests 503', told: /errors of its own/ },
  { name: 'no answer', fault: 'manifests hang', told: /hangs/ },
  { name: 'a layer that stops half way', fault: 'blobs stalled', told: /hangs/ },
  { name: 'a layer that is cut, each time', fault: 'blobs truncated', told: /damaged|cannot reach/, takesLong: true },
  { name: 'a layer of a wrong digest', fault: 'blobs altered', told: /damaged/ },
  { name: 'a layer that comes slowly', fault: 'blobs slow', told: undefined },
];
