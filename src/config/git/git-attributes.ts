import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { GitClient } from './git-client.js';
import { replaceFile } from './replace-file.js';

// Of all files of attributes this one has the last word. `!` and not `-`: without an encoding, where `-` is one with a false name.
const ATTRIBUTES = `# Written by Plancton before every use; edits are lost.
# Files come out of git as they went in: the configuration is what was committed, and what differs from it is an edit.
* -text -eol -crlf -ident -filter !working-tree-encoding
`;

/** Where a clone keeps the attributes that no commit can change. Rejects with `GitFailure`. */
export async function attributesFile(git: GitClient, dir: string, signal?: AbortSignal): Promise<string> {
  return resolve(dir, (await git.run(['rev-parse', '--git-path', 'info/attributes'], signal)).trimEnd());
}

/** Has git put files on disk as they are, whatever `.gitattributes` say. Rejects when the file cannot be written. */
export async function keepFilesAsTheyAre(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await replaceFile(file, ATTRIBUTES, 0o644);
}
