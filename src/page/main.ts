import type { Status } from '../report/status.js';
import { Charts } from './charts.js';
import { armControl, forgetToken, showControl } from './control.js';
import { DayData } from './day-data.js';
import { byId, fill, setText, table } from './elements.js';
import { addLine, showLines } from './lines-view.js';
import { Link } from './link.js';
import { readHistory, readStatus } from './server.js';
import { showStatus } from './status-view.js';
import { clockText, countText, minuteText } from './texts.js';

/** What could not be read is asked for again after this. */
const AGAIN_MS = 20_000;
const MOST_ENDED = 50;

const data = new DayData();
const charts = new Charts(data, { cpus: byId('cpu-chart'), pilots: byId('pilot-chart'), readout: byId('readout') });

/** By how much the clock of the host is ahead, ms. */
let aheadMs = 0;
let isDrawing = false;
/** What came while the last day was being read, and is to come after it; undefined: nothing is being read. */
let waiting: (() => void)[] | undefined;
let isToReload = false;

const hostNow = () => Date.now() + aheadMs;

function drawTables(): void {
  const hours = data.hours().map(({ at, own, foreign, idle, pilots }) => [minuteText(at), own, foreign, idle, pilots]);
  fill('hours', hours, () => [table(['hour', 'CPUs of pilots', 'of others', 'free', 'pilots'], hours)]);
  const ended = data.ended(MOST_ENDED).map(({ name, from, until = from, end = 'gone', exitCode, image }) => {
    return [name, clockText(from), clockText(until), end, exitCode === undefined ? '' : `exit code ${exitCode}`, image];
  });
  fill('ended-table', ended, () => [table(['pilot', 'from', 'until', 'why', 'code', 'image'], ended)]);
}

/** At the next frame, once, however much has changed. */
function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    performance.clearMeasures('drawn');
    const start = performance.now();
    charts.draw(hostNow());
    drawTables();
    performance.measure('drawn', { start });
  });
}

/** `at`: by the clock of the host, when it was sent. */
function takeStatus(status: Status, at: string): void {
  aheadMs = Date.parse(at) - Date.now();
  link.hear(Date.parse(status.at) - aheadMs, status.nextCycleInSeconds * 1000);
  showStatus(status, hostNow());
  if (status.capacity !== undefined) data.note(status);
  draw();
}

function showHistoryTrouble(text: string): void {
  setText('history-trouble', text);
  byId('history-trouble').hidden = text === '';
}

/** Everything anew: at first, and after a time in which nothing was heard. */
async function read(): Promise<void> {
  const [status, history] = await Promise.allSettled([readStatus(), readHistory()]);
  if (history.status === 'fulfilled') {
    data.load(history.value);
    showLines(history.value.events);
    const { damaged } = history.value;
    showHistoryTrouble(damaged === 0 ? '' : `Left out, since damaged: ${countText(damaged, 'line')} of the journal.`);
  } else {
    showHistoryTrouble(`The last day cannot be shown: ${String(history.reason)}`);
    setTimeout(reload, AGAIN_MS);
  }
  if (status.status === 'rejected') return;
  showControl(status.value);
  if (status.value.cycles === undefined) return;
  const shown = status.value as Status;
  takeStatus(shown, history.status === 'fulfilled' ? history.value.until : shown.at);
}

/** One at a time. */
function reload(): void {
  isToReload = waiting !== undefined;
  if (waiting !== undefined) return;
  waiting = [];
  void read().finally(() => {
    const late = waiting ?? [];
    waiting = undefined;
    for (const act of late) act();
    if (isToReload) reload();
  });
}

function whenRead(act: () => void): void {
  if (waiting === undefined) act();
  else waiting.push(act);
}

const link = new Link({
  status: (status) => {
    whenRead(() => {
      takeStatus(status, status.at);
    });
  },
  sample: (sample) => {
    whenRead(() => {
      data.addSample(sample);
      draw();
    });
  },
  line: (line) => {
    whenRead(() => {
      addLine(line);
    });
  },
  pilot: (end) => {
    whenRead(() => {
      data.end(end);
    });
  },
  open: reload,
  broken: forgetToken,
  refused: reload,
});

armControl();
link.begin();
