import type { JournalEntry } from './journal.js';
import type { PostMortem } from '../report/post-mortem.js';
import { isFields, type Fields } from './read-ring.js';

/** `at`: ms since 1970. */
export type PostMortemEntry = PostMortem & { readonly at: number };

// Whether lines are what this version writes, as far as others reckon with it. By hand: there may be a hundred thousand of them.

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isNumberOrMissing(value: unknown): boolean {
  return value === undefined || isNumber(value);
}

function isTextOrMissing(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function areNumbers(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => isNumber(fields[name]));
}

const SAMPLE_NUMBERS = ['seq', 'monoMs', 'spanMs', 'cpus', 'busy', 'idle', 'service'];

function isSample(value: unknown): boolean {
  if (value === undefined) return true;
  return isFields(value) && areNumbers(value, SAMPLE_NUMBERS) && isNumberOrMissing(value['own']);
}

function isObservation(value: unknown): boolean {
  if (!isFields(value) || typeof value['mode'] !== 'string' || typeof value['revision'] !== 'string') return false;
  const { pilots, sample } = value;
  return isFields(pilots) && Object.values(pilots).every(isNumber) && isSample(sample);
}

function isReading(value: unknown): boolean {
  return isFields(value) && typeof value['gate'] === 'string' && typeof value['text'] === 'string';
}

function isGate(value: unknown): boolean {
  return isReading(value) && isFields(value) && (value['most'] === null || isNumber(value['most']));
}

function isPlan(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { capacity, gates, holds, actions } = value;
  if (!isFields(capacity) || !areNumbers(capacity, ['pilots', 'promised'])) return false;
  if (!isNumberOrMissing(capacity['admissible'])) return false;
  const lists = Array.isArray(gates) && Array.isArray(holds) && Array.isArray(actions);
  return lists && gates.every(isGate) && holds.every(isReading);
}

function isEnd(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isFields(value) || !isNumber(value['exitCode']) || typeof value['oomKilled'] !== 'boolean') return false;
  return isNumberOrMissing(value['startedWallMs']) && isNumberOrMissing(value['finishedWallMs']);
}

function areTexts(fields: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof fields[name] === 'string');
}

function isSpec(value: unknown): boolean {
  if (!isFields(value) || !areTexts(value, ['name', 'image', 'revision', 'flavour'])) return false;
  return isTextOrMissing(value['hostname']) && isTextOrMissing(value['user']);
}

function isSeenPilot(value: unknown): boolean {
  if (!isFields(value) || !areTexts(value, ['name', 'id', 'image', 'revision', 'flavour'])) return false;
  return isTextOrMissing(value['imageId']) && isTextOrMissing(value['address']);
}

function isRemoval({ reason, pilot }: Fields): boolean {
  if (typeof reason !== 'string' || !isFields(pilot)) return false;
  return areTexts(pilot, ['name', 'id', 'image', 'revision', 'flavour']) && isNumberOrMissing(pilot['cpus']);
}

function isOutcome(value: unknown): boolean {
  if (!isFields(value) || typeof value['result'] !== 'string' || !isEnd(value['ended'])) return false;
  const { action } = value;
  if (!isFields(action) || typeof action['type'] !== 'string') return false;
  if (action['type'] === 'spawn') return isSpec(action['spec']);
  return action['type'] !== 'remove' || isRemoval(action);
}

/** A line of the journal; undefined where it is none. */
export function toJournalEntry(fields: Fields): JournalEntry | undefined {
  const { at, type } = fields;
  if (!isDate(at) || typeof type !== 'string') return undefined;
  if (type === 'cycle' && !(isObservation(fields['observation']) && isPlan(fields['plan']))) return undefined;
  if (type === 'pilot-seen' && !isSeenPilot(fields['pilot'])) return undefined;
  if (type === 'action-ended' && !(isOutcome(fields['outcome']) && isUsage(fields['usage']))) return undefined;
  return fields as unknown as JournalEntry;
}

/** A moment that can be shown as a date. */
function isDate(value: unknown): boolean {
  return isNumber(value) && !Number.isNaN(new Date(Number(value)).getTime());
}

function isUsage(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isFields(value) || !isNumber(value['cpuSeconds'])) return false;
  return ['memoryPeakBytes', 'blockBytes', 'networkBytes'].every((name) => isNumberOrMissing(value[name]));
}

/** A line of the post-mortems; undefined where it is none. */
export function toPostMortemEntry(fields: Fields): PostMortemEntry | undefined {
  const { at, pilot, cause, log, ended, usage, said } = fields;
  if (!isDate(at) || !isFields(pilot) || !isEnd(ended) || !isUsage(usage) || !isTextOrMissing(said)) return undefined;
  const texts = [pilot['name'], pilot['image'], pilot['revision'], cause, log];
  if (!texts.every((text) => typeof text === 'string') || !isTextOrMissing(pilot['id'])) return undefined;
  return fields as unknown as PostMortemEntry;
}
