import * as z from 'zod';
import { amount, count, duration, refusal } from '../config/value-type.js';
import type { LoadStep } from './foreign-load.js';
import type { PilotKind } from './simulated-host.js';

/** A host, its owner and the pilots it is offered, over some time. */
export interface Scenario {
  readonly ncpus: number;
  readonly hours: number;
  /** Another seed, other lengths of pilots. */
  readonly seed: number;
  readonly pilot: PilotKind;
  /** What others want, rising in time. */
  readonly foreign: readonly LoadStep[];
  /** Seconds after which `foreign` begins anew; undefined = never. */
  readonly period: number | undefined;
}

const manyCpus = 4096;
const longestHours = 31 * 24;
const longest = longestHours * 3600;

/** When a step of the foreign load begins. Seconds. */
export const stepTime = duration(0, longest);
/** How much others want. */
export const stepCpus = amount(0, manyCpus);

const steps = z.array(
  z.strictObject({ at: stepTime.schema, cpus: stepCpus.schema }, { error: refusal('{ at: SECONDS, cpus: NUMBER }') }),
);

const recording = z.strictObject(
  { file: z.string({ error: refusal('the path of a file of lines `seconds,cpus`') }) },
  { error: refusal('a list of { at: SECONDS, cpus: NUMBER }, or { file: PATH }') },
);

const pilot = z.strictObject(
  {
    seconds: duration(1, longest).schema.default(3600),
    jitter: amount(0, 0.99).schema.default(0),
    cpu: amount(0.01, 1).schema.default(1),
  },
  { error: refusal('a mapping of seconds, jitter and cpu') },
);

/** How many CPUs the host has. */
export const ncpusType = count(1, manyCpus).schema;

const common = {
  ncpus: ncpusType,
  hours: amount(0.01, longestHours).schema.default(24),
  seed: count(0, 2 ** 31 - 1).schema.default(1),
  pilot: pilot.prefault({}),
  period: duration(1, longest).schema.optional(),
  /** The keys of config.yaml; read as those are. */
  config: z.unknown().optional(),
};

/** A scenario file whose load is a list, or in a file of its own. Two schemas, so that each can say what is wrong in it. */
export const scenarioFile = {
  listed: z.strictObject({ ...common, foreign: steps.default([]) }),
  recorded: z.strictObject({ ...common, foreign: recording }),
};

/** The values of a scenario file, defaults filled in. */
export type ScenarioValues = z.output<(typeof scenarioFile)[keyof typeof scenarioFile]>;

/** Whether this is a key of an entry of `foreign`. */
export function isStepKey(key: string): boolean {
  return Object.hasOwn(steps.element.shape, key);
}

/** The keys there are, by the key that they stand below; at the top, below nothing. */
export const scenarioKeys: Readonly<Record<string, readonly string[]>> = {
  '': [...Object.keys(common), 'foreign'],
  pilot: Object.keys(pilot.shape),
  foreign: [...Object.keys(steps.element.shape), ...Object.keys(recording.shape)],
};
