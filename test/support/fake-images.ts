import { randomBytes } from 'node:crypto';
import { newMarks, toHostImages, type ImageSummary } from '../../src/engine/image-mark.js';
import type { HostImage } from '../../src/model.js';

/** The images of a fake engine: names, and what has lost its name to another image. */
export interface FakeImages {
  /** Tags on the host (or names with a digest) and the ids of their images. */
  readonly images: Map<string, string>;
  /** Gives a name to an image of the registry; what had it before keeps its digest, as in a real engine. */
  receive(reference: string, id: string): void;
  list(instance: string): readonly HostImage[];
  mark(reference: string, instance: string, before: readonly HostImage[]): void;
  drop(id: string, instance: string): boolean;
}

export interface FakeImageOptions {
  readonly names: readonly string[];
  readonly wallMs: () => number;
  /** Ids of images that containers were made from. */
  readonly used: () => ReadonlySet<string>;
}

export function createFakeImages({ names, wallMs, used }: FakeImageOptions): FakeImages {
  const images = new Map(names.map((name) => [withTag(name), randomImageId()]));
  const digests = new Map<string, string>();

  function summaries(): readonly ImageSummary[] {
    const ids = new Set([...images.values(), ...digests.keys()]);
    return [...ids].map((id) => ({
      Id: id,
      ParentId: '',
      RepoTags: [...images].filter(([, of]) => of === id).map(([name]) => name),
      RepoDigests: [digests.get(id) ?? []].flat(),
      Size: 100_000_000,
    }));
  }

  const list = (instance: string) => toHostImages(summaries(), used(), instance);
  return {
    images,
    receive(reference, id) {
      images.set(withTag(reference), id);
      digests.set(id, `${withTag(reference).replace(/[:@][^/]*$/, '')}@${id}`);
    },
    list,
    mark(reference, instance, before) {
      const id = images.get(withTag(reference));
      const image = list(instance).find((candidate) => candidate.id === id);
      if (image === undefined) return;
      for (const { repo, tag } of newMarks({ image, before, instance, wallMs: wallMs() })) {
        images.set(`${repo}:${tag}`, image.id);
      }
    },
    drop(id, instance) {
      const image = list(instance).find((candidate) => candidate.id === id);
      if (image === undefined) return true;
      if (image.marks.length === 0 || image.needed) return false;
      for (const name of [...image.names, ...image.marks]) images.delete(name);
      digests.delete(id);
      return true;
    },
  };
}

export function withTag(reference: string): string {
  return /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`;
}

function randomImageId(): string {
  return `sha256:${randomBytes(32).toString('hex')}`;
}
