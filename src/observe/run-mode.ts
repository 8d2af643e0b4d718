import { constants } from 'node:fs';
import { open, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunMode } from '../model.js';

/**
 * What the files in the run directory ask for. Their presence is the interface, so creating one by hand works.
 * Rejects when the directory cannot be read: not knowing is not the same as being active.
 */
export async function readRunMode(runDir: string): Promise<RunMode> {
  const names = await readdir(runDir).catch((cause: unknown) => {
    throw new Error(`cannot read the run directory ${runDir}: does it exist, and may this user read it?`, { cause });
  });
  if (names.includes('force-stop')) return 'force-stop';
  // A `stop` left over from an earlier drain-stop must not end a daemon that is not draining.
  if (!names.includes('drain')) return 'active';
  return names.includes('stop') ? 'drain-stop' : 'drain';
}

/** Writes the files that ask for `mode` and removes those that contradict it; asking twice is fine. */
export async function requestMode(runDir: string, mode: RunMode): Promise<void> {
  switch (mode) {
    case 'active':
      await clearFile(runDir, 'force-stop');
      await clearFile(runDir, 'stop');
      await clearFile(runDir, 'drain');
      return;
    case 'drain':
      await clearFile(runDir, 'stop');
      await touch(join(runDir, 'drain'));
      return;
    case 'drain-stop':
      // `stop` by itself means nothing yet: in this order nobody sees a plain drain in between.
      await touch(join(runDir, 'stop'));
      await touch(join(runDir, 'drain'));
      return;
    case 'force-stop':
      await touch(join(runDir, 'force-stop'));
      return;
  }
}

/** A drain-stop has been carried out; the host stays drained. */
export async function clearStop(runDir: string): Promise<void> {
  await clearFile(runDir, 'stop');
}

/** A force-stop has been carried out. */
export async function clearForceStop(runDir: string): Promise<void> {
  await clearFile(runDir, 'force-stop');
}

async function clearFile(runDir: string, name: 'drain' | 'stop' | 'force-stop'): Promise<void> {
  const path = join(runDir, name);
  try {
    await removeRequest(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return;
    const why = code === 'ENOTEMPTY' ? 'it is a directory with something in it' : 'may this user write there?';
    throw new Error(`cannot remove ${path}: ${why}`, { cause });
  }
}

/** Removes a file or, as people make these by hand, an empty directory; never what is in one. */
async function removeRequest(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    await rmdir(path);
  }
}

async function touch(path: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const file = await open(path, flags, 0o644);
    try {
      // The umask may have taken rights away that other users need to see the state.
      await file.chmod(0o644);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new Error(`cannot write ${path}: may this user write there, and is there space?`, { cause: error });
  }
}
