import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerCli } from '../support/docker-cli.js';

/** What pilots can leave behind, counted. */
export interface Residue {
  readonly containers: number;
  readonly volumes: number;
  /** Below the group of the instance, in every hierarchy. */
  readonly cgroups: number;
  /** In the folders of the daemon. */
  readonly files: number;
  /** In the folders of the engine, its images included. */
  readonly engineFolders: number;
}

/** `engineDir` is the folder of a private engine, `siteDir` that of a daemon named `instance`. */
export async function countResidue(
  docker: DockerCli,
  { engineDir, siteDir, instance }: { readonly engineDir: string; readonly siteDir: string; readonly instance: string },
): Promise<Residue> {
  const lines = async (...args: string[]) => (await docker(...args)).split('\n').filter(Boolean).length;
  const root = '/sys/fs/cgroup';
  const hierarchies = ['.', ...readdirSync(root)].map((name) => join(root, name, 'plancton', instance));
  const data = join(engineDir, 'data');
  return {
    containers: await lines('ps', '--all', '--quiet'),
    volumes: await lines('volume', 'ls', '--quiet'),
    cgroups: hierarchies.reduce((sum, path) => sum + foldersBelow(path), 0),
    // What is kept of the past has a size of its own.
    files: readdirSync(siteDir, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !/state\/(journal|post-mortems)\//.test(file),
    ).length,
    engineFolders: ['containers', 'overlay2'].reduce((sum, name) => sum + readdirSync(join(data, name)).length, 0),
  };
}

function foldersBelow(path: string): number {
  if (!existsSync(path)) return 0;
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
}

/** How much more of each there is; what became less makes up for nothing. */
export function residueLeft(before: Residue, after: Residue): Residue {
  const more = (key: keyof Residue) => Math.max(0, after[key] - before[key]);
  return {
    containers: more('containers'),
    volumes: more('volumes'),
    cgroups: more('cgroups'),
    files: more('files'),
    engineFolders: more('engineFolders'),
  };
}
