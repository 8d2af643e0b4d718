import { once } from 'node:events';
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrivateEngine } from './private-engine.js';

/** What a registry with `withLogin` asks for. */
export const registryLogin = { username: 'pilot', password: 'let-me-in' };

/** The same, hashed as htpasswd would. */
const htpasswdLine = 'pilot:$2y$05$abcdefghijklmnopqrstuu3Jd./u/rH1RxB6auX5v7gLP6uWhKCgG\n';

/** A registry on the loopback of a private engine; it goes with the engine at the latest. */
export interface LocalRegistry {
  /** `127.0.0.1:port`, the first part of the names of its images. */
  readonly host: string;
  /** Pushes an image of the engine under `name` (`group/worker:v1`); returns the full reference. Logs in if need be. */
  push(image: string, name: string): Promise<string>;
  /** Damages every layer it has, as a failing disk would. */
  corruptLayers(): Promise<void>;
  stop(): Promise<void>;
}

export async function startLocalRegistry(
  engine: PrivateEngine,
  { withLogin = false }: { readonly withLogin?: boolean } = {},
): Promise<LocalRegistry> {
  const dir = await mkdtemp(join(engine.dir, 'registry-'));
  const passwords = join(dir, 'htpasswd');
  await writeFile(passwords, htpasswdLine);
  const settings = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(dir, 'storage') } },
    http: { addr: '127.0.0.1:0' },
    ...(withLogin ? { auth: { htpasswd: { realm: 'test', path: passwords } } } : {}),
  };
  // JSON is YAML.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(settings));
  const child = engine.spawnInNetwork('docker-registry', ['serve', join(dir, 'config.yml')]);
  // It tells of every request, and would wait for a reader.
  child.stdout.resume();
  const host = await readAddress(child.stderr);

  async function push(image: string, name: string): Promise<string> {
    const reference = `${host}/${name}`;
    const { username, password } = registryLogin;
    if (withLogin) await engine.docker('login', '--username', username, '--password', password, host);
    await engine.docker('tag', image, reference);
    await engine.docker('push', '--quiet', reference);
    return reference;
  }

  async function corruptLayers(): Promise<void> {
    const blobs = join(dir, 'storage', 'docker', 'registry', 'v2', 'blobs');
    for (const entry of await readdir(blobs, { recursive: true })) {
      const file = join(blobs, entry);
      // Manifests and settings of images are small.
      if (!entry.endsWith('/data') || (await stat(file)).size < 100_000) continue;
      const bytes = await readFile(file);
      bytes.fill(0, bytes.length - 5000, bytes.length - 1000);
      await writeFile(file, bytes);
    }
  }

  return {
    host,
    push,
    corruptLayers,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** It picks a free port and tells it in its log; the log has to be read to its end, or the registry would block. */
async function readAddress(log: NodeJS.ReadableStream | null): Promise<string> {
  if (log === null) throw new Error('The registry has no log');
  let text = '';
  return new Promise((resolve, reject) => {
    log.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-10_000);
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
    log.on('close', () => {
      reject(new Error(`The registry did not come up:\n${text}`));
    });
  });
}
