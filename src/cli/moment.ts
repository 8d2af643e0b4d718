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

/** Whether there is such a day: a date beyond the end of its month would be taken for one of the next. */
function isDay(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

function fullDate(text: string): number {
  // A date alone would be taken to be of another time zone than all else.
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T');
  const [, date] = /^(\d{4}-\d\d-\d\d)T/.exec(full) ?? [];
  return date !== undefined && isDay(date) ? Date.parse(full) : NaN;
}

/** A moment that somebody has typed, in ms since 1970. Throws an InvalidArgumentError that names what it takes. */
export function parseMoment(text: string, nowMs: number): number {
  const [, hours, minutes, seconds = '0'] = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? [];
  if (hours !== undefined) return timeOfDay(Number(hours), Number(minutes), Number(seconds), nowMs);
  const ago = parseDuration(text);
  const moment = ago !== undefined && ago >= 0 ? nowMs - ago * 1000 : fullDate(text);
  if (!(moment >= 0)) throw new InvalidArgumentError(`It must be ${forms}, and not before 1970.`);
  return moment;
}
