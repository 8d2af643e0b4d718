import type { Clock } from '../clock.js';
import { withDeadline } from '../observe/deadline.js';
import { unsafePath } from '../policy/bind-path.js';

/** A path on a dead file server must not hold up the pilots that run. */
const LOOK_MS = 2_000;

/**
 * Looks at the paths of binds; tells why one is not safe. Never rejects, and comes back in time. A look that hangs keeps a thread of
 * this process, and there are few of these: no second one is begun before it has come back.
 */
export function createPathLook(
  clock: Clock,
  uid: number,
  look = unsafePath,
): (path: string) => Promise<string | undefined> {
  let hanging: string | undefined;
  return async (path) => {
    if (hanging !== undefined) return `looking at ${hanging} takes too long`;
    hanging = path;
    const found = look(path, uid).finally(() => {
      hanging = undefined;
    });
    return withDeadline(clock, LOOK_MS, `looking at ${path}`, found).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
  };
}
