import { heard, ofStreams, unheard } from '../support/chaos-faults.js';
import type { Fault } from '../support/chaos-rules.js';
import { endpoints, type Endpoint } from './endpoints.js';

/** One thing that goes wrong with one request. */
export interface FaultCase {
  /** `create, done: hang` */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly fault: Fault;
  readonly faultName: string;
}

/** How long the daemons of the matrix wait for an answer, ms. */
export function deadlineMs({ slow = false }: Pick<Endpoint, 'slow'>): number {
  return slow ? 2500 : 500;
}

function casesOf(endpoint: Endpoint): readonly FaultCase[] {
  const streams = endpoint.reply === 'stream' ? ofStreams : [];
  return [...unheard, ...heard(1.5 * deadlineMs(endpoint)), ...streams].map(({ name, fault }) => {
    const done = fault.forward ? 'done' : 'not done';
    return { name: `${endpoint.name}, ${done}: ${name}`, endpoint, fault, faultName: name };
  });
}

/** All requests, all faults, each before and after the engine has done what was asked. */
export const cases: readonly FaultCase[] = endpoints.flatMap(casesOf);

/** Every `step`th case: the same ones each time, with all requests and faults among them. */
export function everyNth(step: number): readonly FaultCase[] {
  return cases.filter((_, index) => index % step === 0);
}
