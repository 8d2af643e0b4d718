import type { Logger } from 'pino';
import type { EventSink } from './event.js';
import { record } from './recorded-event.js';
import { word } from './words.js';

/** Writes each event as one line: constant message, facts in fields. Quiet cycles say nothing above debug. */
export function createLogSink(logger: Logger): EventSink {
  return (event) => {
    const { level, message, facts } = word(record(event));
    logger[level]({ event: event.type, ...facts }, message);
  };
}
