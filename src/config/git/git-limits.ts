import { join } from 'node:path';

/** The most one file may hold that git writes: a pack on its way to us, or a file of the tree. */
export const MAX_GIT_FILE_BYTES = 100 * 1024 * 1024;
/** The most all files of a tree may hold together. */
export const MAX_TREE_BYTES = 4 * MAX_GIT_FILE_BYTES;
/** The most files and folders a tree may hold: each costs a disk more than its content. */
export const MAX_TREE_ENTRIES = 10_000;
/** The most a clone may hold before nothing is fetched any more; from half of it on git is made to tidy up. */
export const MAX_STORE_BYTES = 2 * 1024 * 1024 * 1024;

/** Address space of one git or helper of it. A small pack can unfold to any size in memory, and that of the host is for pilots. */
const MAX_MEMORY_BYTES = 2 * 1024 * 1024 * 1024;
/** Processor time of one git or helper of it: for one that outlives its deadline, which is far shorter. */
const MAX_CPU_S = 600;

/** Where `limitScript` is, in the folder of git's settings. */
export function limitFile(folder: string): string {
  return join(folder, 'git-within-limits');
}

/**
 * Starts git with limits, which Node cannot set by itself, and as the first to go when memory is short: it would inherit the daemon's
 * place among the last. The signal is ignored so that git can say what the matter is. Limits that cannot be set are tighter already.
 * For `sh`: the folder may be on a file system from which nothing may be executed.
 */
export const limitScript = `# Written by Plancton at every start; edits are lost.
trap '' XFSZ
ulimit -f ${MAX_GIT_FILE_BYTES / 512} || exit 126
ulimit -v ${MAX_MEMORY_BYTES / 1024} 2>/dev/null
ulimit -t ${MAX_CPU_S} 2>/dev/null
echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec git "$@"
`;
