import type { GitClient } from './git-client.js';
import { FETCH_OPTIONS } from './git-environment.js';
import { CANDIDATE, type GitRepository } from './git-repository.js';
import { isBranchName } from './git-url.js';

/** Tags that point at what was fetched; apart from those that people made here. */
const TAGS = 'refs/plancton/tags/';
/** More than these on one commit are not looked at. */
const MAX_TAGS = 20;

/** Names of annotated tags of a listing that point at a commit: only these have a second line, with what they point at. */
function tagsOn(commit: string, listing: string): string[] {
  return listing
    .split('\n')
    .flatMap((line) => {
      const [, object, name] = /^([0-9a-f]+)\trefs\/tags\/(.+)\^\{\}$/.exec(line) ?? [];
      return object === commit && name !== undefined && isBranchName(name) ? [name] : [];
    })
    .slice(0, MAX_TAGS);
}

/** Brings the annotated tags of `origin` that point at a commit, since one of them may be signed. Rejects with `GitFailure`. */
export async function fetchTags(git: GitClient, commit: string, signal?: AbortSignal): Promise<void> {
  const names = tagsOn(
    commit,
    await git.run(['ls-remote', '--quiet', '--tags', '--upload-pack=git-upload-pack', 'origin'], signal),
  );
  if (names.length === 0) return;
  const wanted = names.map((name) => `+refs/tags/${name}:${TAGS}${name}`);
  await git.run(['fetch', ...FETCH_OPTIONS, '--depth', '1', 'origin', ...wanted], signal);
}

/** Annotated tags on this host that point at a commit, by full name. */
export async function tagsAt(git: GitClient, commit: string, signal?: AbortSignal): Promise<string[]> {
  const listing = await git.run(
    ['for-each-ref', `--points-at=${commit}`, '--format=%(objecttype) %(refname)', 'refs/tags', TAGS],
    signal,
  );
  return listing.split('\n').flatMap((line) => (line.startsWith('tag ') ? [line.slice(4)] : []));
}

/** Forgets the tags of commits that are not in place and that no reference of ours names any more. */
async function dropOldTags(git: GitClient, repository: GitRepository, signal?: AbortSignal): Promise<void> {
  const format = '--format=%(refname) %(objectname) %(*objectname)';
  const refs = (await git.run(['for-each-ref', format, 'refs/plancton/'], signal))
    .split('\n')
    .map((line) => line.split(' '));
  const kept = refs.filter(([name = '']) => !name.startsWith(TAGS)).map(([, commit]) => commit);
  kept.push(await repository.resolve('HEAD', signal));
  for (const [name = '', , commit] of refs) {
    if (name.startsWith(TAGS) && !kept.includes(commit)) await git.run(['update-ref', '-d', name], signal);
  }
}

/** Brings the tags that point at what was fetched. Rejects with `GitFailure`. */
export async function refreshTags(git: GitClient, repository: GitRepository, signal?: AbortSignal): Promise<void> {
  const commit = await repository.resolve(CANDIDATE, signal);
  if (commit === undefined) return;
  await fetchTags(git, commit, signal);
  await dropOldTags(git, repository, signal);
}
