import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../support/plancton-process.js';
import type { PrivateEngine, PrivateEngineOptions } from '../support/private-engine.js';

const run = promisify(execFile);

/** A pilot, as the host sees it. */
export interface Victim {
  readonly id: string;
  /** Of its first process. */
  readonly pid: number;
  readonly hostname: string;
}

export interface Scene {
  readonly engine: PrivateEngine;
  /** Ids of the pilots that live, the oldest first. */
  readonly pilots: readonly Victim[];
  /** Puts another configuration in force. */
  readonly configure: (changes: Readonly<Record<string, unknown>>) => void;
}

/** Something that happens to the engine, or to one of its containers, while a daemon has four pilots there. */
export interface Outage {
  readonly name: string;
  readonly engine?: PrivateEngineOptions;
  /** Of the daemon, from its start. */
  readonly settings?: (engine: PrivateEngine) => Readonly<Record<string, unknown>>;
  /** Breaks something; what it resolves to mends it, and resolves when that is done and the engine answers. */
  readonly strike: (scene: Scene) => Promise<() => Promise<void> | void>;
  /** The host has nothing to tell: no pilot is missing, and none stands in the way. */
  readonly isQuiet?: boolean;
  /** The engine ends all containers, decoys too. */
  readonly endsAll?: boolean;
}

function endOf({ pid }: Victim): void {
  process.kill(pid, 'SIGKILL');
}

/** A pilot ends, so that there is something to do, and the engine must do it. */
function endOne({ pilots }: Scene): void {
  const last = pilots.at(-1);
  if (last !== undefined) endOf(last);
}

function firstOf({ pilots }: Scene): Victim {
  const [first] = pilots;
  if (first === undefined) throw new Error('there is no pilot to break');
  return first;
}

async function killEngine(scene: Scene): Promise<() => Promise<void>> {
  await scene.engine.kill9();
  endOne(scene);
  return () => scene.engine.restart();
}

/** The process that holds a container, its parent on the host. */
function shimOf({ pid }: Victim): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const frozenDisk = (engine: PrivateEngine) => join(engine.dir, 'frozen');

async function mountDisk(engine: PrivateEngine): Promise<void> {
  const [image, disk] = [join(engine.dir, 'frozen.img'), frozenDisk(engine)];
  if (existsSync(disk)) return;
  mkdirSync(disk);
  await run('truncate', ['--size', '16M', image]);
  await run('mkfs.ext4', ['-q', '-F', image]);
  await run('mount', ['-o', 'loop', image, disk]);
}

/** Each pilot waits for a file of its name, and then writes for ever. */
const writer = 'while [ ! -e "/disk/$(hostname)" ]; do sleep 0.2; done; while :; do echo x > /disk/x; done';

/** What makes pilots end by themselves, one after the other. */
const shortLives = { max_ttl: 5 };

export const outages: readonly Outage[] = [
  { name: 'dockerd is killed (SIGKILL)', strike: killEngine, endsAll: true },
  { name: 'dockerd is killed, live-restore', engine: { liveRestore: true }, strike: killEngine },
  {
    name: 'dockerd stands still (SIGSTOP)',
    strike: (scene) => {
      scene.engine.pause();
      endOne(scene);
      return Promise.resolve(() => {
        scene.engine.resume();
      });
    },
  },
  {
    name: 'containerd stands still (SIGSTOP)',
    strike: (scene) => {
      scene.engine.pause('containerd');
      // It does not even notice the end of a container; but it is asked to end some.
      scene.configure(shortLives);
      return Promise.resolve(() => {
        scene.engine.resume('containerd');
        scene.configure({});
      });
    },
  },
  {
    name: "one pilot's shim stands still",
    strike: (scene) => {
      const shim = shimOf(firstOf(scene));
      process.kill(shim, 'SIGSTOP');
      scene.configure(shortLives);
      return Promise.resolve(() => {
        process.kill(shim, 'SIGCONT');
        scene.configure({});
      });
    },
  },
  {
    name: 'a pilot waits for a disk (state D)',
    settings: (engine) => ({ binds: [`${frozenDisk(engine)}:/disk:rw`], docker_cmd: ['/bin/sh', '-c', writer] }),
    strike: async (scene) => {
      const disk = frozenDisk(scene.engine);
      writeFileSync(join(disk, firstOf(scene).hostname), '');
      await eventually('the pilot writes', () => existsSync(join(disk, 'x')));
      await run('fsfreeze', ['--freeze', disk]);
      scene.configure(shortLives);
      return async () => {
        await run('fsfreeze', ['--unfreeze', disk]);
        rmSync(join(disk, 'x'));
        scene.configure({});
      };
    },
  },
  {
    name: 'a container that cannot be removed (chattr +i)',
    // The file system of the host may know no such flag.
    engine: { dataRootMb: 256 },
    settings: () => ({ min_free_disk: '20M' }),
    strike: async (scene) => {
      const victim = firstOf(scene);
      const file = join(scene.engine.dir, 'data', 'containers', victim.id, 'hostname');
      await run('chattr', ['+i', file]);
      endOf(victim);
      return async () => {
        await run('chattr', ['-i', file]);
      };
    },
  },
  {
    name: 'somebody pauses a pilot',
    isQuiet: true,
    strike: async (scene) => {
      const { id } = firstOf(scene);
      await scene.engine.docker('pause', id);
      endOne(scene);
      return async () => {
        await scene.engine.docker('unpause', id);
      };
    },
  },
  {
    name: 'somebody pauses a pilot, past its time to live',
    isQuiet: true,
    strike: async (scene) => {
      await scene.engine.docker('pause', firstOf(scene).id);
      scene.configure(shortLives);
      return () => {
        scene.configure({});
      };
    },
  },
  {
    name: 'the data root is full',
    engine: { dataRootMb: 256 },
    settings: () => ({ min_free_disk: '20M' }),
    strike: async (scene) => {
      const filler = join(scene.engine.dir, 'data', 'filler');
      await run('sh', ['-c', `dd if=/dev/zero of="${filler}" bs=512 2>/dev/null; sync "${filler}"`]);
      endOne(scene);
      return () => {
        rmSync(filler);
      };
    },
  },
];

/** What an outage needs of its engine before a daemon comes. */
export async function prepareEngine(engine: PrivateEngine): Promise<void> {
  await mountDisk(engine);
}
