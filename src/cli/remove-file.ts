import { unlinkSync } from 'node:fs';
import { CliError, explainError, systemErrorCode } from './exit-codes.js';

/**
 * Removes a file, if it is there. Throws a CliError that names it as `what` and says to remove it by hand or else to do `otherwise`:
 * not ours to remove (77), or no file (73).
 */
export function removeFile(file: string, what: string, otherwise: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return;
    throw new CliError(
      explainError(error).exitCode,
      `cannot remove ${what} ${file} (${code ?? String(error)}); remove it, or ${otherwise}`,
      { cause: error },
    );
  }
}
