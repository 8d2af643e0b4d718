import type { Answer, Fault } from './chaos-rules.js';

export interface NamedFault {
  readonly name: string;
  readonly fault: Fault;
}

const statuses: readonly (readonly [number, string])[] = [
  [401, 'unauthorized: authentication required'],
  [404, 'No such container: it is gone'],
  [409, 'Conflict. Somebody else is at it'],
  [429, 'toomanyrequests: too many requests'],
  [500, 'layer store is broken'],
  [503, 'service unavailable'],
];

/** Replies that no engine should give, each with status 200. */
const oddBodies: Readonly<Record<string, Answer>> = {
  empty: { status: 200, body: '' },
  null: { status: 200, body: 'null' },
  HTML: { status: 200, body: '<html><body>Please log in</body></html>', contentType: 'text/html' },
  'half JSON': { status: 200, body: '{"Id":"0123456789ab' },
  'wrong type': { status: 200, body: '"a text"' },
  'wrong shape': { status: 200, body: '[{"Id":7,"State":[]}]' },
};

const answers: readonly (readonly [string, Answer])[] = [
  ...statuses.map(([status, message]) => [String(status), { status, body: JSON.stringify({ message }) }] as const),
  ...Object.entries(oddBodies).map(([name, answer]) => [`200 ${name}`, answer] as const),
];

const withAnswers = (forward: boolean): readonly NamedFault[] =>
  answers.map(([name, answer]) => ({ name, fault: { forward, answer } }));

/** The engine never hears of these requests. */
export const unheard: readonly NamedFault[] = [
  { name: 'reset', fault: { forward: false, delivery: 'reset' } },
  { name: 'half-close', fault: { forward: false, delivery: 'half-close' } },
  { name: 'hang', fault: { forward: false, delivery: 'never' } },
  { name: 'half a head', fault: { forward: false, delivery: 'half-head' } },
  { name: 'stall after the head', fault: { forward: false, delivery: 'head-only' } },
  { name: 'cut at byte 1', fault: { forward: false, delivery: { cutAt: 1, then: 'reset' } } },
  ...withAnswers(false),
];

/** The engine does what these requests ask for; `lateMs` is longer than a client waits. */
export function heard(lateMs: number): readonly NamedFault[] {
  return [
    { name: 'reset', fault: { forward: true, delivery: 'reset' } },
    { name: 'half-close', fault: { forward: true, delivery: 'half-close' } },
    { name: 'hang', fault: { forward: true, delivery: 'never' } },
    { name: 'done late', fault: { forward: true, waitMs: lateMs } },
    { name: 'answered late', fault: { forward: true, delivery: { lateMs } } },
    { name: 'half a head', fault: { forward: true, delivery: 'half-head' } },
    { name: 'stall after the head', fault: { forward: true, delivery: 'head-only' } },
    { name: 'drip', fault: { forward: true, delivery: { dripMs: 40 } } },
    { name: 'cut at byte 1', fault: { forward: true, delivery: { cutAt: 1, then: 'reset' } } },
    { name: 'half-closed at byte 40', fault: { forward: true, delivery: { cutAt: 40, then: 'half-close' } } },
    { name: 'ended at byte 1', fault: { forward: true, delivery: { cutAt: 1, then: 'end' } } },
    ...withAnswers(true),
  ];
}

/** For replies that are streams of lines. */
export const ofStreams: readonly NamedFault[] = [
  { name: 'every line twice', fault: { forward: true, delivery: { lines: 'twice' } } },
  { name: 'garbage between lines', fault: { forward: true, delivery: { lines: 'garbage' } } },
  { name: 'silence', fault: { forward: true, delivery: { lines: 'silence' } } },
];
