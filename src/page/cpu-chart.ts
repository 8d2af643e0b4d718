import type UPlot from 'uplot';
import { colour, dayOptions, timeAxis, valueAxis } from './chart-parts.js';
import type { TimedSample } from './day-data.js';
import { clockText } from './texts.js';

/** Comes with a script of its own, before this one. */
declare const uPlot: typeof UPlot;

const HEIGHT = 240;
/** Nothing for longer than this part of a sample is a hole; what is shorter was a late look. */
const HOLE = 0.5;

type Column = (number | null)[];

/** Columns of what is stacked: time, all CPUs, pilots with others, pilots; and what each stands for. */
function toColumns(samples: readonly TimedSample[]) {
  const columns: [Column, Column, Column, Column] = [[], [], [], []];
  const meant: (TimedSample | undefined)[] = [];
  const add = (at: number, sample: TimedSample | undefined) => {
    columns[0].push(at / 1000);
    columns[1].push(sample?.cpus ?? null);
    columns[2].push(sample === undefined ? null : Math.min(sample.cpus, sample.own + sample.foreign));
    columns[3].push(sample?.own ?? null);
    meant.push(sample);
  };
  samples.forEach((sample, index) => {
    add(sample.at, sample);
    const next = samples[index + 1]?.at ?? Infinity;
    if (next - sample.until > HOLE * (sample.until - sample.at)) add(sample.until, undefined);
  });
  return { columns: columns as UPlot.AlignedData, meant };
}

/** What the CPUs of a host did: pilots, others on top of them, and what is free above. */
export class CpuChart {
  readonly plot: UPlot;
  readonly #place: HTMLElement;
  #meant: readonly (TimedSample | undefined)[] = [];

  constructor(place: HTMLElement, zoomed: (chart: UPlot) => void) {
    this.#place = place;
    const options: UPlot.Options = {
      ...dayOptions(HEIGHT, zoomed),
      scales: { x: { time: true, auto: false }, y: { range: (_, __, max) => [0, Math.max(1, max)] } },
      axes: [timeAxis(), valueAxis('CPUs')],
      series: [
        { label: 'at', value: (_, seconds) => (Number.isFinite(seconds) ? clockText(seconds * 1000) : '–') },
        // What lies above is drawn first, and what lies below over it.
        this.#series('free', 'free', ({ idle }) => idle),
        this.#series('others', 'foreign', ({ foreign }) => foreign),
        this.#series('pilots', 'own', ({ own }) => own),
      ],
    };
    this.plot = new uPlot(options, [[], [], [], []], place);
  }

  /** Takes new data; drawn when the scale is set next. */
  take(samples: readonly TimedSample[]): void {
    const { columns, meant } = toColumns(samples);
    this.#meant = meant;
    this.plot.setData(columns, false);
    this.#describe(samples.at(-1));
  }

  fit(width: number): void {
    if (this.plot.width !== width) this.plot.setSize({ width, height: HEIGHT });
  }

  #series(label: string, name: string, value: (sample: TimedSample) => number): UPlot.Series {
    const paths = uPlot.paths.stepped?.({ align: 1 });
    return {
      label,
      ...(paths === undefined ? {} : { paths }),
      fill: () => colour(name),
      stroke: () => colour(name),
      width: 0,
      points: { show: false },
      value: (_, __, ___, index) => {
        const sample = index === null ? undefined : this.#meant[index];
        return sample === undefined ? '–' : value(sample).toFixed(1);
      },
    };
  }

  /** For those who do not see it. */
  #describe(last: TimedSample | undefined): void {
    const now =
      last === undefined
        ? 'Nothing is known of the last day.'
        : `Now: pilots ${last.own.toFixed(1)}, others ${last.foreign.toFixed(1)}, free ${last.idle.toFixed(1)} of ${last.cpus.toFixed(0)} CPUs.`;
    this.#place.setAttribute('aria-label', `${now} The table below says by the hour what the chart shows.`);
  }
}
