import { pilotLabels } from '../../src/engine/pilot-container.js';
import { importBusybox } from '../support/busybox-image.js';
import type { PrivateEngine } from '../support/private-engine.js';
import { askEngine } from './engine-api.js';

/** Containers that look like pilots of an instance and are none. */
export interface Decoys {
  /** What has happened to them since they were made; nothing should. */
  touched(): Promise<readonly string[]>;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Status: string; readonly StartedAt: string };
}

/** Makes one of each kind, and images that carry the labels of a pilot of this instance. */
export async function makeDecoys(engine: PrivateEngine, instance: string): Promise<Decoys> {
  const { docker, host: engineHost } = engine;
  const { managed, instance: ofInstance, name, image: madeOf } = pilotLabels;
  const label = (key: string, value: string) => ['--label', `${key}=${value}`];
  const other = `plancton-worker-${instance.slice(0, 5)}x`;
  const service = `service-${instance}`;
  const labelled = async (kind: string, more = '') => {
    const image = `${kind}-${instance}:v1`;
    const changes = [`LABEL ${managed}=true ${ofInstance}=${instance} ${madeOf}=${image} ${more}`];
    await importBusybox(engine, image, { changes });
    return image;
  };
  const kinds: readonly (readonly string[])[] = [
    ['--name', `plancton-worker-${instance}`, 'busybox'],
    ['--name', `from-image-${instance}`, await labelled('committed', `${name}=x`)],
    ['--name', `from-nameless-${instance}`, await labelled('nameless')],
    ['--name', service, await labelled('named', `${name}=${service}`)],
    ['--name', `unnamed-${instance}`, ...label(managed, 'true'), ...label(ofInstance, instance), 'busybox'],
    ['--name', other, ...label(managed, 'true'), ...label(ofInstance, 'another'), ...label(name, other), 'busybox'],
  ];
  const ids: string[] = [];
  for (const kind of kinds) ids.push(await docker('run', '--detach', ...kind, 'sleep', '100000'));
  const look = () =>
    Promise.all(ids.map((id) => askEngine(engineHost, 'GET', `/containers/${id}/json`) as Promise<Inspected>));
  const before = await look();
  return {
    touched: async () => {
      const now = await look();
      return before
        .filter(({ State }, i) => State.Status !== now[i]?.State.Status || State.StartedAt !== now[i].State.StartedAt)
        .map(({ Name }) => `${Name} is not as it was`);
    },
  };
}
