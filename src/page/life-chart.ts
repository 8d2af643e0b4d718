import type UPlot from 'uplot';
import type { DayPilot } from '../report/shown.js';
import { formatAge } from '../report/status-words.js';
import { colour, DAY_S, dayOptions, timeAxis, valueAxis } from './chart-parts.js';
import { laneCount, toBars, type Bar } from './lanes.js';
import { clockText, countText } from './texts.js';

/** Comes with a script of its own, before this one. */
declare const uPlot: typeof UPlot;

/** Of all bars together, and of one. */
const LEAST_HEIGHT = 90;
const MOST_HEIGHT = 420;
const BAR_HEIGHT = 12;
const AXIS_HEIGHT = 50;
/** Thinner ones are drawn without a gap between them. */
const THIN = 4;

/** The lives of pilots, one bar each. */
export class LifeChart {
  readonly plot: UPlot;
  readonly #place: HTMLElement;
  readonly #readout: HTMLElement;
  #bars: readonly Bar[] = [];
  #lanes = 1;

  constructor(place: HTMLElement, readout: HTMLElement, zoomed: (chart: UPlot) => void) {
    this.#place = place;
    this.#readout = readout;
    const base = dayOptions(LEAST_HEIGHT + AXIS_HEIGHT, zoomed);
    const draw = (chart: UPlot) => {
      this.#drawBars(chart);
    };
    const setCursor = (chart: UPlot) => {
      this.#readOut(chart);
    };
    const options: UPlot.Options = {
      ...base,
      hooks: { ...base.hooks, draw: [draw], setCursor: [setCursor] },
      legend: { show: false },
      scales: { x: { time: true, auto: false }, y: { range: () => [0, this.#lanes] } },
      // There are no halves of pilots.
      axes: [timeAxis(), { ...valueAxis('pilots'), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }],
      series: [{}, { show: false }],
    };
    this.plot = new uPlot(options, [[], []], place);
  }

  /** Takes new data; drawn when the scale is set next. `nowMs`: since 1970. */
  take(pilots: readonly DayPilot[], nowMs: number): void {
    this.#bars = toBars(pilots, nowMs);
    this.#lanes = Math.max(1, laneCount(this.#bars));
    // The bars are drawn by the hook; these points only keep the axes.
    this.plot.setData(
      [
        [nowMs / 1000 - DAY_S, nowMs / 1000],
        [0, this.#lanes],
      ],
      false,
    );
    const lives = `The lives of ${countText(this.#bars.length, 'pilot')} over the last day, at most ${this.#lanes} at a time.`;
    this.#place.setAttribute('aria-label', `${lives} The table below has those that run.`);
  }

  fit(width: number): void {
    const height = AXIS_HEIGHT + Math.min(MOST_HEIGHT, Math.max(LEAST_HEIGHT, this.#lanes * BAR_HEIGHT));
    if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
  }

  #drawBars(chart: UPlot): void {
    const { ctx, bbox } = chart;
    const { min = 0, max = 0 } = chart.scales['x'] ?? {};
    const colours = { running: colour('own'), done: colour('done'), failed: colour('bad'), evicted: colour('foreign') };
    const rowHeight = bbox.height / this.#lanes;
    const gap = rowHeight > THIN ? 1 : 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const bar of this.#bars) {
      if (bar.until / 1000 < min || bar.from / 1000 > max) continue;
      const left = chart.valToPos(bar.from / 1000, 'x', true);
      const right = chart.valToPos(bar.until / 1000, 'x', true);
      // The first row is at the bottom, as on the axis.
      const top = bbox.top + bbox.height - (bar.lane + 1) * rowHeight;
      ctx.fillStyle = colours[kindOf(bar)];
      ctx.fillRect(left, top + gap, Math.max(1, right - left - gap), Math.max(1, rowHeight - gap));
    }
    ctx.restore();
  }

  #readOut(chart: UPlot): void {
    const { left = -1, top = -1 } = chart.cursor;
    const height = chart.over.clientHeight;
    if (left < 0 || top < 0 || height === 0) return;
    const atMs = chart.posToVal(left, 'x') * 1000;
    const lane = this.#lanes - 1 - Math.floor((top / height) * this.#lanes);
    const bar = this.#bars.find((one) => one.lane === lane && one.from <= atMs && atMs <= one.until);
    if (bar !== undefined) this.#readout.textContent = lifeText(bar);
  }
}

function kindOf({ pilot }: Bar): 'running' | 'done' | 'failed' | 'evicted' {
  if (pilot.until === undefined) return 'running';
  if (pilot.end === 'evicted') return 'evicted';
  return pilot.end === 'exited' && pilot.exitCode !== 0 ? 'failed' : 'done';
}

function lifeText({ pilot, from, until }: Bar): string {
  const code = pilot.exitCode === undefined ? '' : `, exit code ${pilot.exitCode}`;
  const end = pilot.until === undefined ? 'runs' : `${clockText(until)} (${pilot.end ?? 'gone'}${code})`;
  return `${pilot.name}: ${clockText(from)} – ${end}, ${formatAge((until - from) / 1000)}, ${pilot.image}`;
}
