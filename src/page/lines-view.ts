import type { EventLine } from '../report/shown.js';
import { byId, make } from './elements.js';
import { clockText } from './texts.js';

const MOST_LINES = 200;

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lineView({ at, level, message, facts }: EventLine): HTMLElement {
  const time = make('time', '', clockText(at));
  time.setAttribute('datetime', new Date(at).toISOString());
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null);
  const more = known.map(([name, value]) => ` ${name}=${valueText(value)}`).join('');
  return make('li', level, time, make('b', '', message), make('span', 'more', more));
}

/** Puts it on top. */
export function addLine(line: EventLine): void {
  const list = byId('lines');
  list.prepend(lineView(line));
  while (list.childElementCount > MOST_LINES) list.lastElementChild?.remove();
}

/** After what was there before has been heard or passed over, ms. */
const QUIET_MS = 1000;

/** The oldest first. What was before the page was opened is not read aloud. */
export function showLines(lines: readonly EventLine[]): void {
  const log = byId('log');
  log.setAttribute('aria-live', 'off');
  setTimeout(() => {
    log.setAttribute('aria-live', 'polite');
  }, QUIET_MS);
  byId('lines').replaceChildren(...lines.slice(-MOST_LINES).reverse().map(lineView));
}
