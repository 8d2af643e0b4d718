import type { EventLine, History, LiveSample, PilotEnd, ShownState } from '../report/shown.js';
import type { Status } from '../report/status.js';

/** Before its first cycle a daemon has hardly one. */
export type ShownStatus = Partial<Status> & ShownState;

export interface LiveHandlers {
  readonly status: (status: Status) => void;
  readonly sample: (sample: LiveSample) => void;
  readonly line: (line: EventLine) => void;
  readonly pilot: (end: PilotEnd) => void;
  /** The line to the daemon is there, for the first time or again. */
  readonly open: () => void;
  /** It is not; it is tried again by itself. */
  readonly broken: () => void;
  /** The daemon tells nobody more; it is not tried again. */
  readonly refused: () => void;
}

const DEADLINE_MS = 20_000;

function authorization(token: string): Record<string, string> {
  return token === '' ? {} : { Authorization: `Bearer ${token}` };
}

/** Rejects with what the daemon says, or the browser. */
async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const reply = await fetch(path, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  if (!reply.ok) throw new Error((await reply.text()).trim());
  return reply;
}

export async function readStatus(): Promise<ShownStatus> {
  return (await (await ask('/api/v1/status')).json()) as ShownStatus;
}

export async function readHistory(): Promise<History> {
  return (await (await ask('/api/v1/history')).json()) as History;
}

export async function wish(what: 'drain' | 'resume', token: string): Promise<void> {
  await ask(`/api/v1/${what}`, { method: 'POST', headers: authorization(token) });
}

/** Follows what happens, until what it returns is called. */
export function follow(handlers: LiveHandlers): () => void {
  const source = new EventSource('/api/v1/events');
  for (const type of ['status', 'sample', 'line', 'pilot'] as const) {
    const handle = handlers[type] as (data: unknown) => void;
    source.addEventListener(type, (message: MessageEvent<string>) => {
      handle(JSON.parse(message.data));
    });
  }
  source.addEventListener('open', handlers.open);
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) handlers.refused();
    else handlers.broken();
  });
  return () => {
    source.close();
  };
}
