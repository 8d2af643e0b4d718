import type { Fault } from '../report/faults.js';
import { capacityText, factRows, formatAge, gateName, limitText, modeText } from '../report/status-words.js';
import type { Status } from '../report/status.js';
import { byId, fill, make, setText, table } from './elements.js';

/** One word on how it is, and whether that is good. */
function healthOf({ health, mode, faults }: Status): readonly [text: string, isGood: boolean] {
  if (health !== 'ok') return ['in trouble', false];
  if (faults.length > 0) return [mode === 'active' ? 'running, with trouble' : `${mode}, with trouble`, false];
  return [mode === 'active' ? 'healthy' : mode, true];
}

function faultView({ what, since, said, doing, cure }: Fault, nowMs: number): HTMLElement {
  return make(
    'div',
    'fault',
    make('h3', '', `${what} (for ${formatAge((nowMs - Date.parse(since)) / 1000)})`),
    ...(said === undefined ? [] : [make('p', '', said)]),
    make('p', '', `Plancton: ${doing}`),
    make('p', '', `You: ${cure}`),
  );
}

function pilotRows({ pilots }: Status): readonly (readonly (string | number)[])[] {
  return pilots.map(({ name, id, state, ageSeconds, cpus, image }) => {
    return [name, id, state, formatAge(ageSeconds), cpus ?? '?', image];
  });
}

function showTrouble(status: Status, nowMs: number): void {
  // Ages grow all the time.
  fill('faults', [status.faults, Math.floor(nowMs / 10_000)], () =>
    status.faults.map((fault) => faultView(fault, nowMs)),
  );
  fill('notices', status.notices, () => status.notices.map((text) => make('li', '', text)));
}

/** Shows all of a status. `nowMs`: since 1970, by the clock of the host. */
export function showStatus(status: Status, nowMs: number): void {
  const [health, isGood] = healthOf(status);
  setText('host', status.hostname);
  setText('health', health);
  byId('health').className = `badge ${isGood ? 'good' : 'bad'}`;
  document.title = `${status.hostname}: ${health}`;
  setText('sentence', capacityText(status));
  fill('limits', status.holds, () =>
    status.holds.map(({ gate, text }) => make('li', '', `limited by ${gateName(gate)}: ${text}`)),
  );
  showTrouble(status, nowMs);
  const rows: [string, string][] = [['mode', modeText(status)], ...factRows(status, nowMs)];
  fill('facts', rows, () => rows.flatMap(([label, text]) => [make('dt', '', label), make('dd', '', text)]));
  fill('gates', status.gates, () => [
    table(
      ['what', 'lets start', 'because'],
      status.gates.map(({ gate, most, text }) => [gateName(gate), limitText(most), text]),
    ),
  ]);
  const pilots = pilotRows(status);
  fill('pilot-table', pilots, () => [table(['pilot', 'id', 'state', 'age', 'CPUs', 'image'], pilots)]);
  setText('foot', `plancton ${status.version}, pid ${status.pid}, instance ${status.instance}`);
}
