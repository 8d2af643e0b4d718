import type { Metrics } from '../report/metrics.js';
import type { ShownState } from '../report/shown.js';
import type { Status } from '../report/status.js';
import { readPageFile } from './page-files.js';

/** What the answers are made from. */
export interface Facts {
  /** As of the last cycle; undefined: none has ended. */
  readonly status: () => Status | undefined;
  /** Why the loop does not go on as it should; undefined: it does. */
  readonly hangs: () => string | undefined;
  /** Loads what it takes at the first time. */
  readonly metrics: () => Promise<Metrics>;
  /** The last day, as JSON; see `History`. */
  readonly history: () => Promise<string>;
}

/** What may be changed here; the same as `planctonctl drain` and `planctonctl resume`. */
export type Wish = 'drain' | 'active';

/** What somebody who asks may do. */
export interface Rights {
  readonly control: () => Promise<ShownState['control']>;
  /** Rejects when it cannot be asked for. */
  readonly ask: (wish: Wish) => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Methods, where it was asked by another one. */
  readonly allow?: string;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

export function text(status: number, body: string): Answer {
  return { status, contentType: TEXT, body: `${body}\n` };
}

/** The loop goes round. */
function health({ hangs, status }: Facts): Answer {
  const why = hangs() ?? (status() === undefined ? 'no cycle has ended yet' : undefined);
  return why === undefined ? text(200, 'ok') : text(503, why);
}

/** It sees its engine, and may start pilots. */
function readiness(facts: Facts): Answer {
  const alive = health(facts);
  if (alive.status !== 200) return alive;
  const status = facts.status();
  if (status?.health !== 'ok') return text(503, status?.trouble ?? 'not known');
  if (status.mode !== 'active') return text(503, `mode ${status.mode}`);
  const forbidden = status.gates.find(({ gate, most }) => gate === 'policy' && most === 0);
  return forbidden === undefined ? text(200, 'ok') : text(503, forbidden.text);
}

async function state({ status, hangs }: Facts, { control }: Rights): Promise<Answer> {
  const now = status();
  const body = now ?? { apiVersion: 'plancton/v1', kind: 'Status' };
  const shown: ShownState = { overdue: hangs() !== undefined, control: await control() };
  return { status: 200, contentType: JSON_TYPE, body: `${JSON.stringify({ ...body, running: true, ...shown })}\n` };
}

async function figures({ metrics, status }: Facts): Promise<Answer> {
  const found = await metrics();
  return { status: 200, contentType: found.contentType, body: await found.text(status()) };
}

async function lastDay({ history }: Facts): Promise<Answer> {
  try {
    return { status: 200, contentType: JSON_TYPE, body: `${await history()}\n` };
  } catch (error) {
    return text(503, `the journal cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const ANSWERS = new Map<string, (facts: Facts, rights: Rights) => Answer | Promise<Answer>>([
  ['/healthz', health],
  ['/readyz', readiness],
  ['/metrics', figures],
  ['/api/v1/status', state],
  ['/api/v1/history', lastDay],
]);

/** Where things are told as they happen; not answered here. */
export const LIVE_PATH = '/api/v1/events';

const WISHES = new Map<string, Wish>([
  ['/api/v1/drain', 'drain'],
  ['/api/v1/resume', 'active'],
]);

const NO_TOKEN =
  'nothing can be changed here: the policy of this host names no http_token_file that is for root alone, holds 16 characters or more without blanks and can be read now';

const NOTHING_TO_CHANGE: Answer = { ...text(405, 'nothing can be changed here'), allow: 'GET, HEAD' };

/** Does what is wished for, for those who may. */
async function grant(wish: Wish, { control, ask }: Rights): Promise<Answer> {
  const may = await control();
  if (may === 'no') return text(403, NO_TOKEN);
  if (may === 'token') return text(401, 'this takes the token of this host: Authorization: Bearer TOKEN');
  try {
    await ask(wish);
  } catch (error) {
    return text(503, error instanceof Error ? error.message : String(error));
  }
  return { status: 202, contentType: JSON_TYPE, body: `${JSON.stringify({ asked: wish })}\n` };
}

/** What is there to be read; undefined: nothing. */
async function reading(
  path: string,
  facts: Facts,
  rights: Rights,
): Promise<(() => Answer | Promise<Answer>) | undefined> {
  const found = ANSWERS.get(path);
  if (found !== undefined) return () => found(facts, rights);
  const file = await readPageFile(path);
  return file && (() => ({ status: 200, ...file }));
}

/** What is said to one request; a path that nobody knows is told which there are. */
export async function answer(facts: Facts, rights: Rights, method: string, path: string): Promise<Answer> {
  const wish = WISHES.get(path);
  if (wish !== undefined && method === 'POST') return grant(wish, rights);
  if (wish !== undefined) return { ...text(405, 'this is asked for by POST'), allow: 'POST' };
  if (path === LIVE_PATH) return { ...text(405, 'this is followed by GET'), allow: 'GET' };
  const found = await reading(path, facts, rights);
  if (found === undefined) {
    const known = ['/', ...ANSWERS.keys(), LIVE_PATH].join(', ');
    return text(404, `there are ${known}, and by POST ${[...WISHES.keys()].join(' and ')}`);
  }
  return method === 'GET' || method === 'HEAD' ? found() : NOTHING_TO_CHANGE;
}
