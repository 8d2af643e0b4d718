import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Carries a name that only one git command and what it starts have. */
export const RUN_MARK = 'PLANCTON_GIT_RUN';

/**
 * Ends the processes that carry the mark. A git that is stopped leaves its helpers (https, ssh) behind, and one that
 * talks to a hung server would stay for ever. Never rejects; where there is no /proc it does nothing.
 */
export async function endHelpers(mark: string, procDir = '/proc'): Promise<void> {
  const wanted = `${RUN_MARK}=${mark}`;
  const names = await readdir(procDir).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      if (!/^\d+$/.test(name)) return;
      const environment = await readFile(join(procDir, name, 'environ'), 'latin1').catch(() => '');
      if (!environment.split('\0').includes(wanted)) return;
      try {
        process.kill(Number(name), 'SIGTERM');
      } catch {
        // It has ended by itself.
      }
    }),
  );
}
