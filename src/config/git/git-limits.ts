import { join } from 'node:path';

/** The most one file may hold that git writes: a pack on its way to us, or a file of the tree. */
export const MAX_GIT_FILE_BYTES = 100 * 1024 * 1024;
/** The most all files of a tree may hold together. */
export const MAX_TREE_BYTES = 4 * MAX_GIT_FILE_BYTES;
/** The most a clone may hold before nothing is fetched any more; from half of it on git is made to tidy up. */
export const MAX_STORE_BYTES = 2 * 1024 * 1024 * 1024;

/** Where `limitScript` is, in the folder of git's settings. */
export function limitFile(folder: string): string {
  return join(folder, 'git-within-limits');
}

/**
 * Starts git with a limit on the size of files, which Node cannot set by itself. The signal is ignored so that git can say what the matter
 * is. For `sh`: the folder may be on a file system from which nothing may be executed.
 */
export const limitScript = `# Written by Plancton at every start; edits are lost.
trap '' XFSZ
ulimit -f ${MAX_GIT_FILE_BYTES / 512} || exit 126
exec git "$@"
`;
