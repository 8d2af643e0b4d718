import * as z from 'zod';
import type { Status } from './status.js';

const maybeText = z.string().optional();
const maybeNumber = z.number().optional();
/** The moments that are reckoned with. */
const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)));

/** All that is read of a status; more may be there. */
const shape = z.looseObject({
  apiVersion: z.literal('plancton/v1'),
  version: z.string(),
  pid: z.number(),
  hostname: z.string(),
  at: moment,
  atBootMs: z.number(),
  startedAt: moment,
  health: z.enum(['ok', 'waiting']),
  trouble: maybeText,
  mode: z.enum(['active', 'drain', 'drain-stop', 'force-stop', 'unknown']),
  cycles: z.number(),
  nextCycleInSeconds: z.number(),
  capacity: z
    .looseObject({
      cpus: z.number(),
      foreign: maybeNumber,
      promised: z.number(),
      peakForeign: maybeNumber,
      pilots: z.number(),
      maxDocks: z.number(),
      admissible: maybeNumber,
    })
    .optional(),
  gates: z.array(z.looseObject({ gate: z.string(), most: z.number().nullable(), text: z.string() })),
  holds: z.array(z.looseObject({ gate: z.string(), text: z.string() })),
  faults: z.array(
    z.looseObject({
      code: z.string(),
      since: moment,
      what: z.string(),
      said: maybeText,
      doing: z.string(),
      cure: z.string(),
    }),
  ),
  notices: z.array(z.string()),
  yields: z.looseObject({ mode: z.string(), text: z.string() }),
  sinks: z.array(
    z.looseObject({
      name: z.string(),
      trouble: maybeText,
      points: z.looseObject({ written: z.number(), waiting: z.number(), lost: z.number() }).optional(),
    }),
  ),
  image: z.looseObject({
    wanted: z.string(),
    id: z.string().nullish(),
    createdAt: moment.optional(),
    pulling: maybeText,
  }),
  engine: z.looseObject({ host: z.string(), version: maybeText, apiVersion: maybeText, failure: maybeText }),
  config: z.looseObject({
    source: z.string(),
    revision: maybeText,
    probation: maybeText,
    signature: z.union([z.looseObject({ by: z.string() }), z.looseObject({ problem: z.string() })]).optional(),
    refused: z.looseObject({ revision: z.string(), problems: z.array(z.string()) }).optional(),
    unreachable: maybeText,
  }),
  pilots: z.array(
    z.looseObject({
      name: z.string(),
      id: z.string(),
      state: z.string(),
      image: z.string(),
      revision: z.string(),
      cpus: maybeNumber,
      ageSeconds: z.number(),
    }),
  ),
  totals: z.looseObject({ spawned: z.number(), ended: z.number(), evicted: z.number(), failed: z.number() }),
});

/** Whether this is what a daemon of this version leaves behind: another one, or half a file, is better not shown at all. */
export function isStatus(value: unknown): value is Status {
  return shape.safeParse(value).success;
}
