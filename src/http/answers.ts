import type { Metrics } from '../report/metrics.js';
import type { Status } from '../report/status.js';

/** What the answers are made from. */
export interface Facts {
  /** As of the last cycle; undefined: none has ended. */
  readonly status: () => Status | undefined;
  /** Why the loop does not go on as it should; undefined: it does. */
  readonly hangs: () => string | undefined;
  /** Loads what it takes at the first time. */
  readonly metrics: () => Promise<Metrics>;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const TEXT = 'text/plain; charset=utf-8';

function text(status: number, body: string): Answer {
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

function state({ status, hangs }: Facts): Answer {
  const now = status();
  const body = now ?? { apiVersion: 'plancton/v1', kind: 'Status' };
  const overdue = hangs() !== undefined;
  return {
    status: 200,
    contentType: 'application/json',
    body: `${JSON.stringify({ ...body, running: true, overdue })}\n`,
  };
}

async function figures({ metrics, status }: Facts): Promise<Answer> {
  const found = await metrics();
  return { status: 200, contentType: found.contentType, body: await found.text(status()) };
}

const ANSWERS = new Map<string, (facts: Facts) => Answer | Promise<Answer>>([
  ['/healthz', health],
  ['/readyz', readiness],
  ['/metrics', figures],
  ['/api/v1/status', state],
]);

/** What is said to one request; a path that nobody knows is told which there are. */
export async function answer(facts: Facts, method: string, url: string): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'nothing can be changed here');
  const [path = ''] = url.split('?');
  const found = ANSWERS.get(path);
  return found === undefined ? text(404, `there are ${[...ANSWERS.keys()].join(', ')}`) : found(facts);
}
