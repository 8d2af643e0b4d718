import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { importBusybox } from './busybox-image.js';
import { removeCgroups } from './engine-leftovers.js';
import { startPrivateEngine } from './private-engine.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `unix:///...`: an engine that all tests of a run share; it has `busybox:latest`. */
    dockerHost: string;
  }
}

/** Starts one engine for all tests of the project `real`; the function it returns removes it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const groupsBefore = await pilotGroups();
  const engine = await startPrivateEngine();
  await importBusybox(engine);
  project.provide('dockerHost', engine.host);
  return async () => {
    await engine.stop();
    // A daemon keeps its cgroup for its next start; those of the tests have none.
    for (const group of await pilotGroups()) if (!groupsBefore.has(group)) await removeCgroups(group);
  };
}

/** Cgroups of pilots, the parents first: `/plancton/<instance>`, in whichever hierarchy. */
async function pilotGroups(): Promise<ReadonlySet<string>> {
  const root = '/sys/fs/cgroup';
  const groups = new Set<string>();
  for (const hierarchy of ['.', ...(await readdir(root).catch(() => []))]) {
    for (const name of await readdir(join(root, hierarchy, 'plancton'), { withFileTypes: true }).catch(() => [])) {
      if (name.isDirectory()) groups.add(`/plancton/${name.name}`);
    }
  }
  return groups;
}
