import http from 'node:http';
import { join } from 'node:path';
import { HTTP_SOCKET } from '../http/surface.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { resolvePaths } from './paths.js';
import { writeFileAtomic } from './write-file-atomic.js';

export interface MetricsOptions extends CliOptions {
  /** Where to leave them instead of printing them; absolute. */
  readonly textfile?: string;
}

const DEADLINE_MS = 10_000;

/** What the daemon says on its socket. Rejects with what the system says, or with the daemon's own words. */
function ask(socketPath: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: '/metrics', agent: false, signal }, (reply) => {
      let text = '';
      reply.setEncoding('utf8');
      reply.on('data', (part: string) => {
        text += part;
      });
      reply.on('error', reject);
      reply.on('end', () => {
        if (reply.statusCode === 200) resolve(text);
        else reject(new Error(`it answered ${String(reply.statusCode)}: ${text.trim()}`));
      });
    });
    request.on('error', reject);
  });
}

/** Rejects with a CliError (69) where no daemon answers. */
async function askInTime({ clock }: CliContext, socketPath: string): Promise<string> {
  const giveUp = new AbortController();
  const done = new AbortController();
  void clock.sleep(DEADLINE_MS, done.signal).then(() => {
    giveUp.abort();
  });
  try {
    return await ask(socketPath, giveUp.signal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCodes.unavailable, `no daemon answers at ${socketPath}: ${why}`, { cause: error });
  } finally {
    done.abort();
  }
}

/**
 * Prints the figures of the running daemon for Prometheus, or leaves them in a file for node_exporter, whole or not at all. Returns the exit code; throws a
 * CliError (69) where no daemon answers, and what the file system says.
 */
export async function showMetrics(context: CliContext, options: MetricsOptions): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  const text = await askInTime(context, join(runDir, HTTP_SOCKET));
  // Others have to read it.
  if (options.textfile !== undefined) writeFileAtomic(options.textfile, text, 0o644);
  else context.out(text.trimEnd());
  return exitCodes.ok;
}
