import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Writes in one step, and only what differs, whoever else writes into the folder. Rejects with what the file system says. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const old = await readFile(path, 'utf8').catch(() => undefined);
  if (old === text) return;
  const aside = `${path}.${randomUUID()}`;
  try {
    // A file or a link of that name, which nobody can have guessed, is not followed.
    await writeFile(aside, text, { mode, flag: 'wx' });
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
