import type { Config } from '../config/schema.js';
import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { PilotEnd, PilotUsage, RemoveAction } from '../model.js';
import type { EventSink } from '../report/event.js';
import type { PostMortem } from '../report/post-mortem.js';

/** More than is kept: of a secret that is cut in two the rest would not be known for one. */
const LOG_TAIL = { lines: 50, maxBytes: 65_536 } as const;
/** What people read of a log to see what went wrong. Characters. */
const KEPT = 8192;
/** Pilots that are remembered. */
const MOST_DONE = 1000;

export interface AutopsyOptions {
  readonly engine: Pick<ContainerEngine, 'logTail'>;
  readonly usageOf: (id: string) => PilotUsage | undefined;
  /** The configuration in force. */
  readonly config: () => Pick<Config, 'post_mortem_size'> | undefined;
  readonly publish: EventSink;
  /** What is in the environment of pilots is not for everybody who may read a post-mortem. */
  readonly hide: (text: string) => string;
}

/** Keeps what is left of pilots that came to no good end. */
export interface Autopsy {
  /** To be called when a pilot has ended, before it is removed. Rejects with bugs only. */
  perform(action: RemoveAction, ended: PilotEnd | undefined): Promise<void>;
}

function causeOf(reason: RemoveAction['reason'], ended: PilotEnd | undefined): PostMortem['cause'] | undefined {
  if (reason === 'evicted') return 'evicted';
  return reason === 'exited' && ended !== undefined && (ended.exitCode !== 0 || ended.oomKilled) ? 'failed' : undefined;
}

/** Whole lines, as far as there are any. */
function endOf(log: string): string {
  if (log.length <= KEPT) return log;
  const end = log.slice(-KEPT);
  const line = end.indexOf('\n') + 1;
  return line === end.length ? end : end.slice(line);
}

/** Forgets the oldest. */
function remember(done: Set<string>, id: string): void {
  done.add(id);
  const [oldest] = done;
  if (done.size > MOST_DONE && oldest !== undefined) done.delete(oldest);
}

export function createAutopsy({ engine, usageOf, config, publish, hide }: AutopsyOptions): Autopsy {
  /** Who cannot be removed is tried again and again, and by then for another reason. */
  const done = new Set<string>();

  async function lastWords(id: string): Promise<Pick<PostMortem, 'log' | 'said'>> {
    try {
      return { log: endOf(hide(await engine.logTail(id, LOG_TAIL))), said: undefined };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return { log: '', said: hide(error.message) };
    }
  }

  return {
    perform: async ({ pilot, reason }, ended) => {
      const { id, name, image, revision, flavour, cpus } = pilot;
      const cause = causeOf(reason, ended);
      const isFirst = !done.has(id);
      remember(done, id);
      if (!isFirst || cause === undefined || (config()?.post_mortem_size ?? 0) === 0) return;
      const usage = usageOf(id);
      const words = await lastWords(id);
      const left = { pilot: { id, name, image, revision, flavour, cpus }, cause, ended, usage, ...words };
      publish({ type: 'post-mortem', postMortem: left });
    },
  };
}
