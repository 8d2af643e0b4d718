import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { createDirectorySource } from './directory-source.js';
import { createGitSource } from './git/git-source.js';
import { asksForSignatures, type SignatureRules } from './signature.js';
import type { ConfigSource } from './source.js';
import { createVerifiedSource } from './verified-source.js';

export interface OpenSourceOptions {
  readonly confDir: string;
  /** For git's private settings. */
  readonly stateDir: string;
  readonly hostname: string;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Least ms between two questions to a remote git server. */
  readonly remoteIntervalMs: () => number;
  /** What this host wants of signatures now. */
  readonly signatures: () => Promise<SignatureRules>;
}

/** A clone with something in it; an original's dry run left an empty `.git` behind, which is none. */
async function isClone(confDir: string): Promise<boolean> {
  return stat(join(confDir, '.git', 'HEAD')).then(
    () => true,
    () => false,
  );
}

/** The source for a configuration directory: git where it is a clone, else the directory itself. */
export async function openConfigSource(options: OpenSourceOptions): Promise<ConfigSource> {
  const { confDir, signatures } = options;
  if (!(await isClone(confDir))) return createVerifiedSource(createDirectorySource(options), undefined, signatures);
  const wantsTags = async () => asksForSignatures(await signatures());
  const git = createGitSource({ ...options, wantsTags });
  return createVerifiedSource(git, git, signatures);
}
