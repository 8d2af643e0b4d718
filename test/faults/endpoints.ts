import type { ChaosRule } from '../support/chaos-rules.js';

type Target = Pick<ChaosRule, 'method' | 'path'>;

/** What a daemon has to live through so that it asks this of its engine. */
export type Life =
  /** Its pilots live for a few seconds, are stopped and replaced. */
  | 'short lives'
  /** The same, and the way to the engine breaks once: it looks for it anew. */
  | 'engine lost'
  | 'freeze'
  | 'thaw'
  | 'another image'
  /** Each image is new to the host; those that it had before are removed. */
  | 'new images'
  /** It has a pilot that an original Plancton left. */
  | 'adopted'
  /** Somebody kills a pilot: what it has written is kept. */
  | 'killed';

export interface Endpoint extends Target {
  readonly name: string;
  readonly life: Life;
  /** Struck is the first such request after one of these was done: the same request serves several ends. */
  readonly after?: Target;
  /** `status`: an answer without body; `stream`: lines over some time. */
  readonly reply?: 'status' | 'stream';
  /** A real engine takes its time for it. */
  readonly slow?: boolean;
}

const container = '/containers/[0-9a-f]{64}';
const inspect = { method: 'GET', path: new RegExp(`^${container}/json$`) };
const post = (verb: string) => ({ method: 'POST', path: new RegExp(`^${container}/${verb}$`) });
const create = { method: 'POST', path: /^\/containers\/create$/ };

/** Everything that the daemon ever asks. */
export const endpoints: readonly Endpoint[] = [
  { name: 'version', life: 'engine lost', method: 'GET', path: /^\/version$/ },
  { name: 'info', life: 'engine lost', method: 'GET', path: /^\/info$/ },
  { name: 'list', life: 'short lives', method: 'GET', path: /^\/containers\/json$/ },
  { name: 'image', life: 'short lives', method: 'GET', path: /^\/images\/.+\/json$/ },
  { name: 'create', life: 'short lives', ...create, slow: true },
  { name: 'inspect what was made', life: 'short lives', ...inspect, after: create },
  { name: 'start', life: 'short lives', ...post('start'), reply: 'status', slow: true },
  { name: 'inspect what was started', life: 'short lives', ...inspect, after: post('start') },
  { name: 'stop', life: 'short lives', ...post('stop'), reply: 'status', slow: true },
  { name: 'inspect what was stopped', life: 'short lives', ...inspect, after: post('stop') },
  {
    name: 'delete',
    life: 'short lives',
    method: 'DELETE',
    path: new RegExp(`^${container}$`),
    reply: 'status',
    slow: true,
  },
  { name: 'events', life: 'engine lost', method: 'GET', path: /^\/events$/, reply: 'stream' },
  { name: 'pause', life: 'freeze', ...post('pause'), reply: 'status' },
  { name: 'unpause', life: 'thaw', ...post('unpause'), reply: 'status' },
  { name: 'stats', life: 'adopted', method: 'GET', path: new RegExp(`^${container}/stats$`) },
  { name: 'pull', life: 'another image', method: 'POST', path: /^\/images\/create$/, reply: 'stream' },
  { name: 'list of images', life: 'new images', method: 'GET', path: /^\/images\/json$/ },
  { name: 'mark of an image', life: 'new images', method: 'POST', path: /^\/images\/.+\/tag$/, reply: 'status' },
  { name: 'removal of an image', life: 'new images', method: 'DELETE', path: /^\/images\/.+$/, slow: true },
  { name: 'log', life: 'killed', method: 'GET', path: new RegExp(`^${container}/logs$`) },
];
