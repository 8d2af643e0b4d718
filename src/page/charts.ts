import type UPlot from 'uplot';
import { DAY_S } from './chart-parts.js';
import { CpuChart } from './cpu-chart.js';
import type { DayData } from './day-data.js';
import { LifeChart } from './life-chart.js';

export interface Places {
  readonly cpus: HTMLElement;
  readonly pilots: HTMLElement;
  /** Says whose bar is pointed at. */
  readonly readout: HTMLElement;
}

/** What CPUs did and who lived, over a day: a closer look at one is one at the other. */
export class Charts {
  readonly #data: DayData;
  readonly #place: HTMLElement;
  readonly #cpus: CpuChart;
  readonly #lives: LifeChart;
  /** Seconds since 1970; undefined: the whole day, which goes on. */
  #zoom: { readonly min: number; readonly max: number } | undefined;
  #isSetting = false;

  constructor(data: DayData, { cpus, pilots, readout }: Places) {
    this.#data = data;
    this.#place = cpus;
    const zoomed = (chart: UPlot) => {
      this.#follow(chart);
    };
    this.#cpus = new CpuChart(cpus, zoomed);
    this.#lives = new LifeChart(pilots, readout, zoomed);
    new ResizeObserver(() => {
      this.#fit();
    }).observe(cpus);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const plot of this.#plots()) plot.redraw(false, true);
    });
  }

  /** `nowMs`: where the day ends, since 1970. */
  draw(nowMs: number): void {
    this.#cpus.take(this.#data.samples);
    this.#lives.take(this.#data.pilots, nowMs);
    this.#fit();
    this.#setScale(this.#zoom ?? { min: nowMs / 1000 - DAY_S, max: nowMs / 1000 });
  }

  #plots(): readonly UPlot[] {
    return [this.#cpus.plot, this.#lives.plot];
  }

  #setScale(range: { readonly min: number; readonly max: number }): void {
    // Not taken for a wish of the reader.
    this.#isSetting = true;
    for (const plot of this.#plots())
      plot.batch(() => {
        plot.setScale('x', range);
      });
    this.#isSetting = false;
  }

  /** The reader has looked closer at one of them, or at all of it again. */
  #follow({ scales, data: [times] }: UPlot): void {
    const { min, max } = scales['x'] ?? {};
    if (this.#isSetting || min === undefined || max === undefined) return;
    // A double click goes back to just what there are data of.
    const isAll = times.length === 0 || (min === times[0] && max === times.at(-1));
    this.#zoom = isAll ? undefined : { min, max };
    queueMicrotask(() => {
      this.#setScale(this.#zoom ?? { min: max - DAY_S, max });
    });
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    this.#cpus.fit(width);
    this.#lives.fit(width);
  }
}
