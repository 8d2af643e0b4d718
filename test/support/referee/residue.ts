import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineWindow } from './engine-window.js';
import { isAlive, type Container } from './sightings.js';

/** What a daemon may leave in a folder of its own. */
export interface WatchedFolder {
  readonly path: string;
  readonly expected: RegExp;
}

/** Names of the volumes that the engine made for containers without being asked for a name, and that none of them has any more. */
export async function orphanedVolumes(engine: EngineWindow): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ dangling: ['true'] }));
  const { body } = await engine.ask('GET', `/volumes?filters=${filters}`);
  // Nobody but the engine writes this.
  const { Volumes } = body as { readonly Volumes: readonly { readonly Name: string }[] | null };
  return (Volumes ?? []).map(({ Name }) => Name).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** P14: sentences about what a daemon should have taken away by now. */
export function residueOf(
  pilots: readonly Container[],
  volumes: readonly string[],
  folders: readonly WatchedFolder[],
): readonly string[] {
  const dead = pilots.filter(({ state }) => !isAlive(state)).map(({ name, state }) => `${name} is ${state}`);
  const files = folders.flatMap(({ path, expected }) =>
    namesIn(path)
      .filter((name) => !expected.test(name))
      .map((name) => `${join(path, name)} is left behind`),
  );
  return [...dead, ...volumes.map((name) => `the anonymous volume ${name} is left behind`), ...files];
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
