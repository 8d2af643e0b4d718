import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { limitFile, limitScript } from './git-limits.js';
import { splitCredentials } from './git-url.js';
import { replaceFile } from './replace-file.js';

/** What git gets to know beside its fixed arguments, in files that only we can read. */
export interface GitSettings {
  /** A private folder (not a shared one such as /tmp). */
  readonly folder: string;
  /** The repository git works on; it may belong to another user. */
  readonly repository: string;
  /** The URL it is fetched from, with credentials if it has any. */
  readonly url: string | undefined;
}

/** The file for `GIT_CONFIG_GLOBAL`. */
export function settingsFile(folder: string): string {
  return join(folder, 'git.config');
}

function quoteForGit(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}

/** For the shell in which git runs credential helpers. */
export function storeHelper(credentialFile: string): string {
  return `store --file='${credentialFile.replaceAll("'", String.raw`'\''`)}'`;
}

/** A `[credential]` section for a git configuration file. */
export function credentialSection(credentialFile: string): string {
  return `[credential]\n\thelper = ${quoteForGit(storeHelper(credentialFile))}\n`;
}

function settingsText({ repository, url }: GitSettings, credentialFile: string): string {
  const lines = [
    '# Written by Plancton at every start; edits are lost.',
    '[safe]',
    // Whoever owns the clone decides what it holds in any case, and whether to trust it was decided when it was named
    // as the configuration. The origin may be a local repository of yet another user.
    `\tdirectory = ${quoteForGit(repository)}`,
    '\tdirectory = *',
    '[core]',
    // Streams big files instead of holding them in memory.
    '\tbigFileThreshold = 1m',
  ];
  const clean = url === undefined ? undefined : splitCredentials(url);
  if (url !== undefined && clean?.credential !== undefined) {
    // git hands URLs to its helpers as arguments, which every user of the host can list.
    lines.push(`[url ${quoteForGit(clean.url)}]`, `\tinsteadOf = ${quoteForGit(url)}`);
    lines.push(credentialSection(credentialFile).trimEnd());
  }
  return `${lines.join('\n')}\n`;
}

/** Puts the settings in place; they may be deleted at any time. Rejects when the folder cannot be written. */
export async function writeGitSettings(settings: GitSettings): Promise<void> {
  const { folder, url } = settings;
  const credentialFile = join(folder, 'git-credentials');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(limitFile(folder), limitScript, 0o600);
  const credential = url === undefined ? undefined : splitCredentials(url).credential;
  if (credential !== undefined) await replaceFile(credentialFile, `${credential}\n`, 0o600);
  await replaceFile(settingsFile(folder), settingsText(settings, credentialFile), 0o600);
}
