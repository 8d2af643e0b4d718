import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { importBusybox } from './busybox-image.js';
import { startLocalRegistry } from './local-registry.js';
import type { PrivateEngine } from './private-engine.js';

/** What is wrong with the answers. Manifests can be refused or kept back; layers (`blobs`) begin well and go wrong. */
export type RegistryFault =
  | `manifests ${'401' | '404' | '429' | '500' | '503' | 'hang'}`
  | `blobs ${'truncated' | 'stalled' | 'altered' | 'slow'}`;

/** A registry on the loopback of a private engine whose answers can be spoilt; it goes with the engine at the latest. */
export interface FaultyRegistry {
  /** Every request so far, as `GET /v2/...`. */
  readonly requests: readonly string[];
  /** Makes an image, with a layer of its own, that the registry has and the engine has not; returns its full reference. */
  publish(name: string): Promise<string>;
  spoil(fault: RegistryFault): void;
  heal(): void;
  stop(): Promise<void>;
}

export async function startFaultyRegistry(engine: PrivateEngine): Promise<FaultyRegistry> {
  const good = await startLocalRegistry(engine);
  const script = join(import.meta.dirname, 'faulty-registry.cjs');
  const child = engine.spawnInNetwork(process.execPath, [script, good.host]);
  const lines = createInterface(child.stdout);
  // A test that has killed it must not be ended by what it would still tell it.
  child.stdin.on('error', () => undefined);
  const [host] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [unknown];
  if (typeof host !== 'string') throw new Error(`the registry did not come up: ${String(child.stderr.read())}`);
  const requests: string[] = [];
  lines.on('line', (line) => requests.push(line));
  const tell = (line: string) => {
    child.stdin.write(`${line}\n`);
  };
  return {
    requests,
    publish: async (name) => {
      await importBusybox(engine, 'build:latest', { salt: name });
      const pushed = await good.push('build:latest', name);
      await engine.docker('rmi', 'build:latest', pushed);
      return `${host}/${name}`;
    },
    spoil: tell,
    heal: () => {
      tell('nothing');
    },
    stop: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      await good.stop();
    },
  };
}
