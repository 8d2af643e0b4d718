import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the docker client; resolves to what it prints. */
export type DockerCli = (...args: string[]) => Promise<string>;

/** A docker client for the engine at `host`; it keeps log-ins in `configDir` and reads nothing of the user's. */
export function dockerCli(host: string, configDir = '/nonexistent'): DockerCli {
  const env = { ...process.env, DOCKER_HOST: host, DOCKER_CONFIG: configDir };
  return async (...args) => {
    const { stdout } = await run('docker', args, { env, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  };
}
