import { InvalidArgumentError } from 'commander';
import { durationForms, parseDuration } from '../config/quantity.js';

const forms = `a time ago (${durationForms}), a time of day (14:30) or a date (2026-11-27T14:30)`;

/** Of today, or of yesterday where it has not come yet; by the time zone of whoever asks. */
function timeOfDay(hours: number, minutes: number, seconds: number, nowMs: number): number {
  const moment = new Date(nowMs);
  moment.setHours(hours, minutes, seconds, 0);
  if (moment.getTime() > nowMs) moment.setDate(moment.getDate() - 1);
  return moment.getTime();
}

/** A moment that somebody has typed, in ms since 1970. Throws an InvalidArgumentError that names what it takes. */
export function parseMoment(text: string, nowMs: number): number {
  const [, hours, minutes, seconds = '0'] = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? [];
  if (hours !== undefined) return timeOfDay(Number(hours), Number(minutes), Number(seconds), nowMs);
  const ago = parseDuration(text);
  if (ago !== undefined && ago >= 0) return nowMs - ago * 1000;
  // A date alone would be taken to be of another time zone than all else.
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T');
  const date = /^\d{4}-\d\d-\d\dT/.test(full) ? Date.parse(full) : NaN;
  if (Number.isNaN(date)) throw new InvalidArgumentError(`It must be ${forms}.`);
  return date;
}
