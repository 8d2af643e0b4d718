import type { Status } from '../report/status.js';
import { Charts } from './charts.js';
import { armControl, showControl } from './control.js';
import { DayData } from './day-data.js';
import { byId, setText, table } from './elements.js';
import { addLine, showLines } from './lines-view.js';
import { follow, readHistory, readStatus } from './server.js';
import { showStatus } from './status-view.js';
import { clockText, minuteText } from './texts.js';

/** What a cycle may take on a slow host before its daemon is taken for hung, as for the watchdog. */
const MARGIN_MS = 60_000;
const CHECK_MS = 5000;

const data = new DayData();
const charts = new Charts(data, { cpus: byId('cpu-chart'), pilots: byId('pilot-chart'), readout: byId('readout') });

/** Of the last status: by this clock, which may differ from that of the host. */
let heard: { readonly atMs: number; readonly nextInMs: number } | undefined;
/** By how much the clock of the host is ahead, ms. */
let aheadMs = 0;
let brokenAtMs: number | undefined;
let isDrawing = false;

const hostNow = () => Date.now() + aheadMs;

/** At the next frame, once, however much has changed. */
function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    performance.mark('draw');
    charts.draw(hostNow());
    const rows = data.hours().map(({ at, own, foreign, idle, pilots }) => [minuteText(at), own, foreign, idle, pilots]);
    byId('hours').replaceChildren(table(['hour', 'CPUs of pilots', 'of others', 'free', 'pilots'], rows));
    performance.measure('drawn', 'draw');
  });
}

/** `at`: by the clock of the host, when it was sent. */
function takeStatus(status: Status, at: string): void {
  aheadMs = Date.parse(at) - Date.now();
  heard = { atMs: Date.parse(status.at) - aheadMs, nextInMs: status.nextCycleInSeconds * 1000 };
  showStatus(status, hostNow());
  if (status.capacity !== undefined) data.note(status);
  draw();
  tellLink();
}

function linkText(): readonly [text: string, isBad: boolean] {
  if (brokenAtMs !== undefined)
    return [`no word from the daemon since ${clockText(brokenAtMs)}; it is tried again`, true];
  if (heard === undefined) return ['', false];
  const lateMs = Date.now() - heard.atMs - heard.nextInMs;
  if (lateMs > MARGIN_MS) return [`the daemon is there, but no cycle has ended since ${clockText(heard.atMs)}`, true];
  return [`live, last cycle at ${clockText(heard.atMs)}`, false];
}

function tellLink(): void {
  const [text, isBad] = linkText();
  setText('link', text);
  byId('link').className = isBad ? 'link bad' : 'link';
}

/** Everything anew: at first, and after a time in which nothing was heard. */
async function load(): Promise<void> {
  const [status, history] = await Promise.allSettled([readStatus(), readHistory()]);
  if (history.status === 'fulfilled') {
    data.load(history.value);
    showLines(history.value.events);
  } else setText('readout', String(history.reason));
  if (status.status === 'rejected') return;
  showControl(status.value);
  if (status.value.cycles === undefined) return;
  const shown = status.value as Status;
  takeStatus(shown, history.status === 'fulfilled' ? history.value.until : shown.at);
}

armControl();
follow({
  status: (status) => {
    takeStatus(status, status.at);
  },
  sample: (sample) => {
    data.addSample(sample);
    draw();
  },
  line: addLine,
  pilot: (end) => {
    data.end(end);
  },
  open: () => {
    brokenAtMs = undefined;
    void load().then(tellLink);
  },
  broken: () => {
    brokenAtMs ??= Date.now();
    tellLink();
  },
});
setInterval(tellLink, CHECK_MS);
