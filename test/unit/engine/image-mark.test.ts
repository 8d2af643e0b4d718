import { describe, expect, test } from 'vitest';
import { newMarks, toHostImages, type ImageSummary } from '../../../src/engine/image-mark.js';
import type { HostImage } from '../../../src/model.js';

const T0_MS = Date.UTC(2026, 0, 1);

function summary(id: string, tags: readonly string[], overrides: Partial<ImageSummary> = {}): ImageSummary {
  return { Id: id, ParentId: '', RepoTags: tags, RepoDigests: [`site/pilot@sha256:${id}`], Size: 5, ...overrides };
}

function look(summaries: readonly ImageSummary[], used: readonly string[] = []): readonly HostImage[] {
  return toHostImages(summaries, new Set(used), 'one');
}

function find(images: readonly HostImage[], id: string): HostImage {
  const found = images.find((image) => image.id === id);
  if (found === undefined) throw new Error(`no image ${id}`);
  return found;
}

/** The host after a pull that brought `id`, with the marks that it then gets. */
function pull(before: readonly ImageSummary[], after: readonly ImageSummary[], id: string, afterMs = 0) {
  const image = find(look(after), id);
  const marks = newMarks({ image, before: look(before), instance: 'one', wallMs: T0_MS + afterMs });
  const tags = marks.map(({ repo, tag }) => `${repo}:${tag}`);
  return after.map((entry) => (entry.Id === id ? { ...entry, RepoTags: [...entry.RepoTags, ...tags] } : entry));
}

describe('an image that a pull of ours has brought', () => {
  const host = pull([], [summary('a', ['site/pilot:1'])], 'a', 0.5);

  test('is marked with the tag and the digest that came with it', () => {
    expect(find(look(host), 'a')).toEqual({
      id: 'a',
      marks: [expect.stringMatching(/^plancton\.local\/one:[0-9a-f]{12}-1767225600000-a$/)],
      markedWallMs: T0_MS,
      names: ['site/pilot:1', 'site/pilot@sha256:a'],
      othersNames: [],
      needed: false,
      sizeBytes: 5,
    });
  });

  test('is not ours to another instance, whatever its name', () => {
    for (const instance of ['two', 'on', 'one:', 'one/more']) {
      const [theirs] = toHostImages(host, new Set(), instance);
      expect(theirs).toMatchObject({ marks: [], markedWallMs: undefined, needed: true });
    }
  });

  test('has lost its tag to the next one, and both are ours', () => {
    const moved = [{ ...summary('a', find(look(host), 'a').marks) }, summary('b', ['site/pilot:1'])];
    const images = look(pull(host, moved, 'b', 60_000));
    expect(find(images, 'a')).toMatchObject({ names: ['site/pilot@sha256:a'], needed: false, markedWallMs: T0_MS });
    expect(find(images, 'b')).toMatchObject({ names: ['site/pilot:1', 'site/pilot@sha256:b'], needed: false });
  });

  test('does not lose its mark to another one of the same moment', () => {
    const moved = [{ ...summary('a', find(look(host), 'a').marks) }, summary('b', ['site/pilot:1'])];
    const [a, b] = pull(host, moved, 'b');
    expect(b?.RepoTags).toHaveLength(2);
    for (const tag of a?.RepoTags ?? []) expect(b?.RepoTags).not.toContain(tag);
  });

  test('is not marked again by the pull that finds it up to date', () => {
    expect(pull(host, host, 'a', 60_000)).toEqual(host);
  });

  test('is marked again when another one has been wanted in between', () => {
    const both = pull(host, [...host, summary('b', ['site/pilot:2'])], 'b', 60_000);
    const back = look(pull(both, both, 'a', 120_000));
    expect(find(back, 'a')).toMatchObject({
      markedWallMs: T0_MS + 120_000,
      names: ['site/pilot:1', 'site/pilot@sha256:a'],
    });
    expect(find(back, 'a').marks).toHaveLength(2);
  });

  test('gets a mark for another tag that a later pull brought', () => {
    const tagged = host.map((entry) => ({ ...entry, RepoTags: [...entry.RepoTags, 'site/pilot:latest'] }));
    expect(find(look(pull(host, tagged, 'a', 60_000)), 'a')).toMatchObject({ othersNames: [], needed: false });
  });

  test('by its digest has no tag to speak for', () => {
    const [pinned] = look(pull([], [summary('a', [])], 'a'));
    expect(pinned).toMatchObject({ names: ['site/pilot@sha256:a'], needed: false, markedWallMs: T0_MS });
  });

  test.each<[string, Partial<ImageSummary>, readonly string[]]>([
    ['a container was made from it', {}, ['a']],
    ['others gave it a tag', { RepoTags: [...find(look(host), 'a').marks, 'site/pilot:1', 'mine:1'] }, []],
    ['another instance has marked it', { RepoTags: [...find(look(host), 'a').marks, 'plancton.local/two:0-1-a'] }, []],
    [
      'others pulled it by digest from elsewhere',
      { RepoDigests: ['site/pilot@sha256:a', 'mirror/pilot@sha256:a'] },
      [],
    ],
  ])('is needed when %s', (_, changes, used) => {
    const [entry = summary('a', [])] = host;
    expect(find(look([{ ...entry, ...changes }], used), 'a').needed).toBe(true);
  });

  test('is needed when another image was made from it', () => {
    expect(find(look([...host, summary('child', ['mine:1'], { ParentId: 'a' })]), 'a').needed).toBe(true);
  });
});

describe('an image of others', () => {
  const theirs = [summary('a', ['site/pilot:1'])];

  test('gets no mark when we pull it too', () => {
    expect(pull(theirs, theirs, 'a')).toEqual(theirs);
    const untagged = [summary('a', [])];
    expect(pull(untagged, theirs, 'a')).toEqual(theirs);
  });

  test('leaves its tag to an image of ours, and the tag stays theirs', () => {
    const moved = [summary('a', []), summary('b', ['site/pilot:1'])];
    const images = look(pull(theirs, moved, 'b'));
    expect(find(images, 'a')).toMatchObject({ markedWallMs: undefined });
    expect(find(images, 'b')).toMatchObject({ markedWallMs: T0_MS, othersNames: ['site/pilot:1'], needed: true });
  });

  test('with something like a mark is none of ours', () => {
    const tags = ['one:x-1-a', 'one:0--a', 'one:0-1', 'one/b:0-1-a']
      .map((tag) => `plancton.local/${tag}`)
      .concat('x/plancton.local/one:0-1-a');
    expect(look([summary('a', tags)])).toMatchObject([{ marks: [], markedWallMs: undefined, needed: true }]);
  });
});

test('what an engine shows for no name is no name, and a digest of a mark is none', () => {
  const digests = ['<none>@<none>', 'plancton.local/one@sha256:a'];
  const [image] = look([summary('a', ['<none>:<none>', 'plancton.local/one:0-5-a'], { RepoDigests: digests })]);
  expect(image).toMatchObject({ names: [], othersNames: [], needed: false, markedWallMs: 5 });
});
