import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, exitCodes } from '../exit-codes.js';
import type { BootstrapContext } from './context.js';

/** Ends every line that is ours, and no other. */
const mark = '# plancton-bootstrap';
const deadlineMs = 10_000;

/** For the shell that cron uses: one word, whatever it holds; `%` would be a line break in a crontab. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`.replaceAll('%', '\\%');
}

/** The crontab without our line. Every other line stays as it is. */
export function withoutOurLine(crontab: string): string {
  return crontab
    .split('\n')
    .filter((line) => !line.endsWith(mark))
    .join('\n');
}

/** The crontab with exactly one line of ours, the last one. */
export function withOurLine(crontab: string, command: readonly string[]): string {
  const others = withoutOurLine(crontab);
  const gap = others === '' || others.endsWith('\n') ? '' : '\n';
  return `${others}${gap}@reboot ${command.map(quote).join(' ')} ${mark}\n`;
}

type CronContext = Pick<BootstrapContext, 'run'>;

/** The crontab of the user who runs this; undefined where there is no cron. Throws a CliError if it cannot be read. */
export async function readCrontab(context: CronContext): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await context.run('crontab', ['-l'], deadlineMs);
  if (exitCode === 0) return stdout;
  if (exitCode === 127) return undefined;
  // An unreadable crontab is not an empty one: writing would lose its lines.
  if (/no crontab for/i.test(stderr)) return '';
  throw new CliError(exitCodes.unavailable, `cannot read root's crontab: ${stderr.trim()}`);
}

/** Puts a whole crontab in force. Throws a CliError (73). */
export async function writeCrontab(context: CronContext, text: string, scratchDir: string): Promise<void> {
  const dir = mkdtempSync(join(scratchDir, 'crontab-'));
  try {
    const file = join(dir, 'crontab');
    writeFileSync(file, text, { mode: 0o600 });
    const { exitCode, stderr } = await context.run('crontab', [file], deadlineMs);
    if (exitCode !== 0) throw new CliError(exitCodes.cannotCreate, `cannot write root's crontab: ${stderr.trim()}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
