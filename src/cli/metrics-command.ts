import http from 'node:http';
import { join } from 'node:path';
import { HTTP_SOCKET } from '../http/surface.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes, systemErrorCode } from './exit-codes.js';
import { resolvePaths } from './paths.js';
import { writeFileAtomic } from './write-file-atomic.js';

export interface MetricsOptions extends CliOptions {
  /** Where to leave them instead of printing them; absolute. */
  readonly textfile?: string;
}

const DEADLINE_MS = 10_000;
/** node_exporter tells these of itself, and all that it tells becomes an error where a name comes twice. */
const OF_PROCESS = /^(?:# \w+ )?(?:process|nodejs)_/;
const GONE = ['# HELP plancton_up Whether the daemon runs', '# TYPE plancton_up gauge', 'plancton_up 0', ''].join('\n');

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

/** Rejects with a CliError where no daemon answers (69), or not to this user (77). */
async function askInTime({ clock }: CliContext, socketPath: string): Promise<string> {
  const giveUp = new AbortController();
  const done = new AbortController();
  void clock.sleep(DEADLINE_MS, done.signal).then(() => {
    giveUp.abort();
  });
  try {
    return await ask(socketPath, giveUp.signal);
  } catch (error) {
    const isForbidden = systemErrorCode(error) === 'EACCES';
    const said = systemErrorCode(error) ?? (error instanceof Error ? error.message : String(error));
    const why = giveUp.signal.aborted ? `not within ${DEADLINE_MS / 1000} s` : said;
    const cure = isForbidden ? 'run this as the owner of the daemon' : 'planctonctl status tells whether one runs';
    const exitCode = isForbidden ? exitCodes.noPermission : exitCodes.unavailable;
    throw new CliError(exitCode, `no daemon answers at ${socketPath} (${why}); ${cure}`, { cause: error });
  } finally {
    done.abort();
  }
}

/** Leaves figures where node_exporter, which runs as somebody else, finds them. */
function leave(file: string, text: string): void {
  writeFileAtomic(file, text, 0o644);
}

/**
 * Prints the figures of the running daemon for Prometheus, or leaves them in a file for node_exporter, whole or not at all: where no daemon answers,
 * that it is not up. Returns the exit code; throws a CliError where none answers (69), or not to this user (77), and what the file system says.
 */
export async function showMetrics(context: CliContext, options: MetricsOptions): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  const { textfile } = options;
  try {
    const text = await askInTime(context, join(runDir, HTTP_SOCKET));
    if (textfile === undefined) context.out(text.trimEnd());
    else
      leave(
        textfile,
        text
          .split('\n')
          .filter((line) => !OF_PROCESS.test(line))
          .join('\n'),
      );
  } catch (error) {
    const isGone = error instanceof CliError && error.exitCode === exitCodes.unavailable;
    if (isGone && textfile !== undefined) leave(textfile, GONE);
    throw error;
  }
  return exitCodes.ok;
}
