import type { TestProject } from 'vitest/node';
import { importBusybox } from './busybox-image.js';
import { startPrivateEngine } from './private-engine.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `unix:///...`: an engine that all tests of a run share; it has `busybox:latest`. */
    dockerHost: string;
  }
}

/** Starts one engine for all tests of the project `real`; the function it returns removes it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startPrivateEngine();
  await importBusybox(engine);
  project.provide('dockerHost', engine.host);
  return () => engine.stop();
}
