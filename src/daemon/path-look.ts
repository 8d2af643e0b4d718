import type { Clock } from '../clock.js';
import { withDeadline } from '../observe/deadline.js';
import { unsafePath } from '../policy/safe-path.js';

/** A path on a dead file server must not hold up the pilots that run. */
const LOOK_MS = 2_000;

/** What came of looking at a path. Neither: it is safe. */
export interface PathFinding {
  readonly unsafe?: string | undefined;
  /** Why that cannot be told now. */
  readonly unknown?: string;
}

/**
 * Looks at the paths of binds; tells why one is not safe. Never rejects, and comes back in time. A look that hangs keeps a thread of
 * this process, and there are few of these: no second one is begun before it has come back.
 */
export function createPathLook(clock: Clock, uid: number, look = unsafePath): (path: string) => Promise<PathFinding> {
  let hanging: string | undefined;
  return async (path) => {
    if (hanging !== undefined) return { unknown: `looking at ${hanging} takes too long` };
    hanging = path;
    const found = look(path, uid).finally(() => {
      hanging = undefined;
    });
    return withDeadline(clock, LOOK_MS, `looking at ${path}`, found).then(
      (unsafe) => ({ unsafe }),
      (error: unknown) => ({ unknown: error instanceof Error ? error.message : String(error) }),
    );
  };
}
