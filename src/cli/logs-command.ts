import type { ContainerEngine } from '../engine/container-engine.js';
import type { PilotStatus } from '../report/status.js';
import type { CliContext, CliOptions } from './context.js';
import { CliError, exitCodes } from './exit-codes.js';
import { engineTrouble, knownPilots, openEngine } from './known-pilots.js';
import { createLineWriter } from './line-writer.js';
import { printable } from './log-line.js';

export interface LogsOptions extends CliOptions {
  /** As it was typed; undefined: all of them. */
  readonly pilot: string | undefined;
  readonly follow?: boolean;
  /** Lines. */
  readonly tail: number;
}

/** How often those that follow all pilots look for new ones. */
const LOOK_EVERY_MS = 1000;
/** Nobody reads more of a single pilot at a time. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Which pilot somebody means. Throws a CliError (64, 66) where it is none, or several. */
function choosePilot(pilots: readonly PilotStatus[], wanted: string): PilotStatus {
  const isMeant = ({ name, id }: PilotStatus) =>
    name.endsWith(`-${wanted}`) || id.startsWith(wanted) || wanted.startsWith(id);
  const exact = pilots.find(({ name }) => name === wanted);
  const meant = exact === undefined ? pilots.filter(isMeant) : [exact];
  const [one, ...others] = meant;
  if (one === undefined) {
    throw new CliError(exitCodes.noInput, `there is no pilot ${wanted}; planctonctl ps lists those there are`);
  }
  if (others.length === 0) return one;
  const names = meant.map(({ name }) => name).join(', ');
  throw new CliError(exitCodes.usage, `${wanted} may be any of these pilots: ${names}`);
}

async function printOne(
  context: CliContext,
  engine: ContainerEngine,
  { id }: PilotStatus,
  options: LogsOptions & { readonly prefix: string },
): Promise<void> {
  const writer = createLineWriter((line) => {
    context.out(line);
  }, options.prefix);
  const lines = options.tail;
  if (options.follow === true) {
    const { readerGone: signal } = context;
    await engine.followLog(id, {
      lines,
      onText: (text) => {
        writer.write(text);
      },
      signal,
    });
  } else writer.write(await engine.logTail(id, { lines, maxBytes: MOST_BYTES }));
  writer.end();
}

/** One that goes while all are read is no failure of the others. */
async function printOneOfMany(...[context, engine, pilot, options]: Parameters<typeof printOne>): Promise<void> {
  try {
    await printOne(context, engine, pilot, options);
  } catch (error) {
    if (context.readerGone.aborted) return;
    const { message } = await engineTrouble(error);
    context.err(`planctonctl: ${pilot.name}: ${message}`);
  }
}

const prefixOf = ({ name }: PilotStatus) => `${printable(name)} | `;
/** What was never started has written nothing. */
const mayTalk = ({ state }: PilotStatus) => state !== 'created';

async function printAll(context: CliContext, engine: ContainerEngine, options: LogsOptions): Promise<void> {
  const { pilots } = await knownPilots(context, options);
  if (pilots.length === 0) context.err('planctonctl: there are no pilots');
  for (const pilot of pilots.filter(mayTalk).reverse()) {
    await printOneOfMany(context, engine, pilot, { ...options, prefix: prefixOf(pilot) });
  }
}

/** Until it is interrupted, nobody reads any more, or the pilots cannot be told. */
async function followAll(context: CliContext, engine: ContainerEngine, options: LogsOptions): Promise<void> {
  const followed = new Set<string>();
  let { tail } = options;
  while (!context.readerGone.aborted) {
    const { pilots } = await knownPilots(context, options);
    for (const pilot of pilots.filter(mayTalk).reverse()) {
      if (followed.has(pilot.id)) continue;
      followed.add(pilot.id);
      void printOneOfMany(context, engine, pilot, { ...options, tail, prefix: prefixOf(pilot) });
    }
    const there = new Set(pilots.map(({ id }) => id));
    for (const id of followed) if (!there.has(id)) followed.delete(id);
    // Of those that come later nothing is left out.
    tail = Number.MAX_SAFE_INTEGER;
    await context.clock.sleep(LOOK_EVERY_MS, context.readerGone);
  }
}

/**
 * Prints what pilots have written. Returns the exit code; throws a CliError for a pilot that is not there (66), a name that several
 * have (64), or an engine that does not answer (69, 77).
 */
export async function showLogs(context: CliContext, options: LogsOptions): Promise<number> {
  const engine = await openEngine(context, options);
  if (options.pilot === undefined) {
    await (options.follow === true ? followAll(context, engine, options) : printAll(context, engine, options));
    return exitCodes.ok;
  }
  const pilot = choosePilot((await knownPilots(context, options)).pilots, options.pilot);
  await printOne(context, engine, pilot, { ...options, prefix: '' }).catch(async (error: unknown) => {
    if (context.readerGone.aborted) return;
    throw await engineTrouble(error);
  });
  return exitCodes.ok;
}
