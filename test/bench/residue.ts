import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerCli } from '../support/docker-cli.js';

/** What pilots can leave behind, counted. */
export interface Residue {
  readonly containers: number;
  readonly volumes: number;
  /** Below the group of all Plancton instances, in every hierarchy. */
  readonly cgroups: number;
  /** In the folders of the daemon. */
  readonly files: number;
  /** In the folders of the engine, its images included. */
  readonly engineFolders: number;
}

/** `engineDir` is the folder of a private engine. */
export async function countResidue(docker: DockerCli, engineDir: string, siteDir: string): Promise<Residue> {
  const lines = async (...args: string[]) => (await docker(...args)).split('\n').filter(Boolean).length;
  const root = '/sys/fs/cgroup';
  const hierarchies = ['.', ...readdirSync(root)].map((name) => join(root, name, 'plancton'));
  const data = join(engineDir, 'data');
  return {
    containers: await lines('ps', '--all', '--quiet'),
    volumes: await lines('volume', 'ls', '--quiet'),
    cgroups: hierarchies.reduce((sum, path) => sum + foldersBelow(path), 0),
    files: readdirSync(siteDir, { recursive: true }).length,
    engineFolders: ['containers', 'overlay2'].reduce((sum, name) => sum + readdirSync(join(data, name)).length, 0),
  };
}

function foldersBelow(path: string): number {
  if (!existsSync(path)) return 0;
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
}
