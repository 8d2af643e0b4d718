import type { EngineWindow } from './engine-window.js';
import { pilotLabelsOf } from './sightings.js';

/** A container that is somebody else's, however much it looks like a pilot. */
export interface Decoy {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** As the engine tells it; its zero date for one that never ran. */
  readonly startedAt: string;
}

export interface Decoys {
  readonly all: readonly Decoy[];
  /** Those of their images that carry labels. */
  readonly images: readonly string[];
  find(id: string): Decoy | undefined;
  remove(): Promise<void>;
}

interface Kind {
  readonly kind: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The image is its own, and carries these. */
  readonly imageLabels?: Readonly<Record<string, string>>;
  /** The name it gets after it was made. */
  readonly renamed?: string;
}

function suffix(): string {
  return Math.random().toString(36).slice(2, 8).padEnd(6, 'x');
}

const prefix = 'plancton-worker-';

function pilotName(): string {
  return prefix + suffix();
}

function imageName(): string {
  return `decoy-image-${suffix()}:latest`;
}

function kindsOf(instance: string, image: string): readonly Kind[] {
  const other = pilotName();
  const service = `decoy-${suffix()}`;
  const [committed, nameless, named] = [imageName(), imageName(), imageName()];
  return [
    { kind: 'same prefix', name: pilotName(), image, labels: {} },
    // They say of their containers that they are pilots made of them, as images that were committed from pilots do.
    {
      ...{ kind: 'labels of its image', name: `decoy-${suffix()}`, image: committed, labels: {} },
      imageLabels: pilotLabelsOf(instance, pilotName(), committed),
    },
    {
      ...{ kind: 'labels of its image without a name', name: `decoy-${suffix()}`, image: nameless, labels: {} },
      imageLabels: pilotLabelsOf(instance, undefined, nameless),
    },
    {
      ...{ kind: 'labels of its image with its name', name: service, image: named, labels: {} },
      imageLabels: pilotLabelsOf(instance, service, named),
    },
    {
      kind: 'labels without the name',
      name: `decoy-${suffix()}`,
      image,
      labels: pilotLabelsOf(instance, pilotName(), 'pilots/were'),
    },
    { kind: 'another instance', name: other, image, labels: pilotLabelsOf('0123456789ab', other, image) },
    { kind: 'renamed', name: `decoy-${suffix()}`, image, labels: {}, renamed: pilotName() },
  ];
}

/** Makes one of each kind that runs, and one that was only made; `image` must be on the engine. `withPrefix`: also those that are named like pilots. */
export async function makeDecoys(
  engine: EngineWindow,
  instance: string,
  image: string,
  withPrefix = true,
): Promise<Decoys> {
  const all: Decoy[] = [];
  const images: string[] = [];
  // One engine does not get faster by being asked for all at once.
  for (const isToRun of [true, false]) {
    const kinds = kindsOf(instance, image);
    const wanted = kinds.filter(({ name, renamed = name }) => withPrefix || !`${name} ${renamed}`.includes(prefix));
    for (const kind of wanted) {
      if (kind.imageLabels !== undefined) {
        await commit(engine, image, kind.image, kind.imageLabels);
        images.push(kind.image);
      }
      all.push(await make(engine, kind, isToRun));
    }
  }
  return {
    all,
    images,
    find: (id) => all.find((decoy) => decoy.id === id),
    remove: async () => {
      for (const { id } of all) await engine.ask('DELETE', `/containers/${id}?force=1&v=1`);
      for (const reference of images) await engine.ask('DELETE', `/images/${reference}?force=1`);
    },
  };
}

async function commit(
  engine: EngineWindow,
  image: string,
  reference: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const id = await create(engine, `decoy-${suffix()}`, { Image: image, Cmd: ['true'] });
  const [repo = '', tag = ''] = reference.split(':');
  await demand(engine, 'POST', `/commit?container=${id}&repo=${repo}&tag=${tag}`, { Labels: labels });
  await demand(engine, 'DELETE', `/containers/${id}?force=1`);
}

async function make(engine: EngineWindow, kind: Kind, isToRun: boolean): Promise<Decoy> {
  const host = { NetworkMode: 'none' };
  const body = { Image: kind.image, Cmd: ['sleep', '100000'], Labels: kind.labels, HostConfig: host };
  const id = await create(engine, kind.name, body);
  if (kind.renamed !== undefined) await demand(engine, 'POST', `/containers/${id}/rename?name=${kind.renamed}`);
  if (isToRun) await demand(engine, 'POST', `/containers/${id}/start`);
  const { state, startedAt } = await lookAt(engine, id);
  return { kind: kind.kind, id, name: kind.renamed ?? kind.name, state, startedAt };
}

async function create(engine: EngineWindow, name: string, body: object): Promise<string> {
  return ((await demand(engine, 'POST', `/containers/create?name=${name}`, body)) as { readonly Id: string }).Id;
}

async function demand(engine: EngineWindow, method: 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const reply = await engine.ask(method, path, body);
  if (reply.status >= 400) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** How the engine says a container is. */
export async function lookAt(
  engine: EngineWindow,
  id: string,
): Promise<{ readonly state: string; readonly startedAt: string }> {
  const { status, body } = await engine.ask('GET', `/containers/${id}/json`);
  if (status !== 200) return { state: `gone (${status})`, startedAt: '' };
  const { State } = body as { readonly State: { readonly Status: string; readonly StartedAt: string } };
  return { state: State.Status, startedAt: State.StartedAt };
}
