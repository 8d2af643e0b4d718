import type { Status } from '../report/status.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { formatTime } from './log-line.js';
import { resolvePaths } from './paths.js';
import { lockHolder } from './process-lock.js';
import { NO_STATUS, readStatusFile } from './status-file.js';
import { statusLine } from './status-text.js';
import { formatTop, type Order } from './top-text.js';

const EVERY_MS = 1000;

const ORDERS: Readonly<Record<string, Order>> = { n: 'newest', o: 'oldest', a: 'name' };
/** Q, Ctrl-C, Ctrl-D, escape. */
const QUIT = ['q', 'Q', '\u0003', '\u0004', '\u001b'];

const CLEAR = '\u001b[H\u001b[2J';
/** A screen of its own, which leaves the one before as it was. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** Why there is none, where there is none. */
function look(runDir: string): Status | string {
  if (lockHolder(runDir) === undefined) return 'plancton does not run';
  return readStatusFile(runDir) ?? `plancton ${NO_STATUS}`;
}

/** A line for each cycle, until nobody reads any more or somebody interrupts. */
async function printLines(context: CliContext, runDir: string): Promise<void> {
  let said: string | undefined;
  while (!context.readerGone.aborted) {
    const status = look(runDir);
    const isThere = typeof status !== 'string';
    const at = isThere ? Date.parse(status.at) : context.clock.now().wallMs;
    const key = isThere ? status.at : status;
    if (key !== said) context.out(`${formatTime(at)} ${isThere ? statusLine(status) : status}`);
    said = key;
    await context.clock.sleep(EVERY_MS, context.readerGone);
  }
}

/** Shows the daemon and its pilots as they change; on a terminal a screen that keys work on. Returns the exit code. */
export async function showTop(context: CliContext, options: CliOptions): Promise<number> {
  const { runDir } = resolvePaths(options, context);
  const over = new AbortController();
  let order: Order = 'newest';
  let step = new AbortController();
  const terminal = context.openTerminal((key) => {
    order = ORDERS[key] ?? order;
    if (QUIT.includes(key)) over.abort();
    step.abort();
  });
  if (terminal === undefined) {
    await printLines(context, runDir);
    return exitCodes.ok;
  }
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    context.onSignal(signal, () => {
      over.abort();
      step.abort();
    });
  }
  const color = (context.env['NO_COLOR'] ?? '') === '';
  terminal.write(ENTER);
  try {
    while (!over.signal.aborted && !context.readerGone.aborted) {
      const status = look(runDir);
      const agoSeconds = typeof status === 'string' ? 0 : (context.clock.now().bootMs - status.atBootMs) / 1000;
      const { columns, rows } = terminal.size();
      terminal.write(`${CLEAR}${formatTop({ columns, rows, color, order, status, agoSeconds }).join('\r\n')}`);
      step = new AbortController();
      await context.clock.sleep(EVERY_MS, step.signal);
    }
  } finally {
    terminal.write(LEAVE);
    terminal.close();
  }
  return exitCodes.ok;
}
