import type { GitClient } from './git-client.js';
import { FETCH_OPTIONS } from './git-environment.js';
import { depthOf } from './git-fetch.js';
import { CANDIDATE, type GitRepository } from './git-repository.js';
import { isBranchName } from './git-url.js';

/** Tags that point at what was fetched, by the names of their objects: those of the server may stand in each other's way. */
const TAGS = 'refs/plancton/tags/';
/** More than these on one commit are not looked at. */
const MAX_TAGS = 200;

/** An annotated tag on this host. */
export interface Tag {
  readonly ref: string;
  /** As the tag itself says. */
  readonly name: string;
}

/** What to fetch of a listing: annotated tags that point at a commit. Only these have a second line, `^{}`, with what they point at. */
function tagsOn(commit: string, listing: string): string[] {
  const objects = new Map(
    listing.split('\n').map((line) => {
      const [object = '', name = ''] = line.split('\t', 2);
      return [name.replace(/^refs\/tags\//, ''), object];
    }),
  );
  const names = [...objects.keys()].filter((name) => isBranchName(name) && objects.get(`${name}^{}`) === commit);
  // One object under two names is fetched once.
  const wanted = new Map(names.map((name) => [objects.get(name) ?? '', name]));
  return [...wanted].slice(0, MAX_TAGS).map(([object, name]) => `+refs/tags/${name}:${TAGS}${object}`);
}

/** Brings the annotated tags of `origin` that point at a commit, since one of them may be signed. Rejects with `GitFailure`. */
export async function fetchTags(git: GitClient, commit: string, signal?: AbortSignal): Promise<void> {
  // Nobody tells which are the newest: of too many those with the highest version are taken.
  const question = ['--quiet', '--tags', '--sort=-version:refname', '--upload-pack=git-upload-pack', 'origin'];
  const wanted = tagsOn(commit, await git.run(['ls-remote', ...question], signal));
  if (wanted.length === 0) return;
  await git.run(['fetch', ...FETCH_OPTIONS, ...(await depthOf(git, signal)), 'origin', ...wanted], signal);
}

/** Annotated tags on this host that point at a commit, the newest first. */
export async function tagsAt(git: GitClient, commit: string, signal?: AbortSignal): Promise<Tag[]> {
  const what = [`--points-at=${commit}`, '--sort=-creatordate', `--count=${MAX_TAGS}`];
  const format = '--format=%(objecttype) %(refname) %(tag)';
  const listing = await git.run(['for-each-ref', ...what, format, 'refs/tags', TAGS], signal);
  return listing.split('\n').flatMap((line) => {
    const [, ref, name = ''] = /^tag (\S+) (.*)$/.exec(line) ?? [];
    // Nothing is shown that could change what a terminal shows.
    return ref === undefined ? [] : [{ ref, name: isBranchName(name) ? name : ref }];
  });
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
  await dropOldTags(git, repository, signal);
  await fetchTags(git, commit, signal);
}
