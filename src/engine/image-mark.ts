import { createHash } from 'node:crypto';
import type { HostImage } from '../model.js';

/** What one entry of the engine's list of images tells; everything else in it is ignored. */
export interface ImageSummary {
  readonly Id: string;
  /** Empty where it was not made from another image on this host. */
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Size: number;
}

/** A tag to make. */
export interface MarkTag {
  readonly repo: string;
  readonly tag: string;
}

export interface Brought {
  /** As it is after the pull. */
  readonly image: HostImage;
  readonly before: readonly HostImage[];
  readonly instance: string;
  readonly wallMs: number;
}

/** Names in this registry are marks. No such registry exists, so that nobody can pull one. */
const registry = 'plancton.local';
/** In place of the hash of a tag: the mark speaks for no tag. */
const noTag = '0';
/** How engines write that there is no tag or no digest. */
const none = '<none>';

interface Mark {
  readonly name: string;
  /** The hash of a tag that came with our pull. */
  readonly key: string;
  readonly wallMs: number;
}

/**
 * A mark is one more tag of an image: `plancton.local/INSTANCE:KEY-TIME-ID`. The key stands for a tag that our pull made, the time (ms) for when;
 * with a part of its id no image takes the mark of another one. An image without one, and a tag that no mark stands for, are not ours.
 */
function readMark(name: string, instance: string): Mark | undefined {
  const start = `${registry}/${instance}:`;
  if (!name.startsWith(start)) return undefined;
  const [, key, time] = /^([0-9a-f]{1,12})-(\d{1,14})-\w+$/.exec(name.slice(start.length)) ?? [];
  return key === undefined ? undefined : { name, key, wallMs: Number(time) };
}

function keyOf(tag: string): string {
  return createHash('sha256').update(tag).digest('hex').slice(0, 12);
}

function repositoryOf(digest: string): string {
  return digest.slice(0, digest.indexOf('@'));
}

/** Sorts the images of the host by what they have to do with `instance`. `used`: ids of images that containers were made from. */
export function toHostImages(
  summaries: readonly ImageSummary[],
  used: ReadonlySet<string>,
  instance: string,
): readonly HostImage[] {
  const parents = new Set(summaries.map(({ ParentId }) => ParentId));
  return summaries.map((summary) => {
    const marks = summary.RepoTags.flatMap((name) => readMark(name, instance) ?? []);
    const keys = marks.map(({ key }) => key);
    const isMark = (tag: string) => marks.some(({ name }) => name === tag);
    const tags = summary.RepoTags.filter((tag) => !tag.startsWith(none) && !isMark(tag));
    // Some engines give each tag a digest.
    const isReal = (digest: string) => !digest.startsWith(none) && repositoryOf(digest) !== `${registry}/${instance}`;
    const digests = summary.RepoDigests.filter(isReal);
    const othersNames = tags.filter((tag) => !keys.includes(keyOf(tag)));
    // A pull brings digests of one repository; another one was asked for by somebody else.
    const repositories = new Set(digests.map(repositoryOf));
    return {
      id: summary.Id,
      marks: marks.map(({ name }) => name),
      markedWallMs: marks.length === 0 ? undefined : Math.max(...marks.map(({ wallMs }) => wallMs)),
      names: [...tags.filter((tag) => keys.includes(keyOf(tag))), ...digests],
      othersNames,
      needed: used.has(summary.Id) || parents.has(summary.Id) || othersNames.length > 0 || repositories.size > 1,
      sizeBytes: summary.Size,
    };
  });
}

/**
 * The marks that an image gets after a pull of ours. None where it was here before and is not ours; one for each tag that was not on
 * the host, or was on an image of ours, before; one without a tag where another image has been wanted since its last mark.
 */
export function newMarks({ image, before, instance, wallMs }: Brought): readonly MarkTag[] {
  const known = before.find(({ id }) => id === image.id);
  if (known !== undefined && known.markedWallMs === undefined) return [];
  const taken = new Set(before.flatMap(({ othersNames }) => othersNames));
  const brought = image.othersNames.filter((tag) => !taken.has(tag) && !tag.startsWith(`${registry}/`));
  const newestMs = Math.max(...before.map(({ markedWallMs }) => markedWallMs ?? 0));
  const isBack = known === undefined || (known.markedWallMs ?? 0) < newestMs;
  const keys = brought.length === 0 && isBack ? [noTag] : brought.map(keyOf);
  const part = image.id.replace('sha256:', '').slice(0, 12);
  return keys.map((key) => ({ repo: `${registry}/${instance}`, tag: `${key}-${Math.floor(wallMs)}-${part}` }));
}
