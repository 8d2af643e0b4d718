import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importBusybox } from '../support/busybox-image.js';
import { engineCgroup } from '../support/engine-leftovers.js';
import { startPrivateEngine } from '../support/private-engine.js';

/** Whatever is left of the engine in `dir` on this host. */
async function tracesOf(dir: string): Promise<string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(dir));
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(`${dir}/`));
  const cgroups = ['cpu', 'memory', '.'].map((name) => join('/sys/fs/cgroup', name, engineCgroup(dir)));
  return [...mounts, ...processes, ...[dir, ...cgroups].filter((path) => existsSync(path))];
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('the private engine of the tests', () => {
  it('comes back after a crash and leaves nothing behind, not even of what ran', async () => {
    const engine = await startPrivateEngine({ liveRestore: true });
    try {
      await importBusybox(engine);
      await engine.docker('run', '-d', '--name', 'survivor', 'busybox', 'sleep', '1000');
      await engine.kill9();
      await engine.restart();
      expect(await engine.docker('ps', '--format', '{{.Names}}')).toBe('survivor');
      await engine.kill9();
    } finally {
      await engine.stop();
    }
    expect(await tracesOf(engine.dir)).toEqual([]);
  });
});
