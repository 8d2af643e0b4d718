import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PrivateEngine } from './private-engine.js';

/** Where the files of the Work Queue example are. */
export const examples = join(import.meta.dirname, '..', '..', 'conf', 'examples');

/** Makes the pilot image of the Work Queue example on an engine; jobs find `tag` in PILOT_IMAGE. */
export async function importPilotImage(engine: Pick<PrivateEngine, 'dir' | 'host'>, tag: string): Promise<void> {
  const env = { ...process.env, DOCKER_HOST: engine.host, DOCKER_CONFIG: join(engine.dir, 'client') };
  await promisify(execFile)(join(examples, 'work-queue-image.sh'), [tag], { env, timeout: 60_000 });
}
