import type UPlot from 'uplot';
import { minuteText } from './texts.js';

export const DAY_S = 24 * 3600;

/** A colour of the style sheet, as it is for the light there is. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function timeAxis(): UPlot.Axis {
  return {
    stroke: () => colour('faint'),
    grid: { stroke: () => colour('edge'), width: 1 },
    ticks: { stroke: () => colour('edge'), width: 1 },
    values: (_, splits) => splits.map((seconds) => minuteText(seconds * 1000)),
  };
}

export function valueAxis(label: string): UPlot.Axis {
  return {
    stroke: () => colour('faint'),
    grid: { stroke: () => colour('edge'), width: 1 },
    ticks: { show: false },
    label,
    labelSize: 20,
    size: 40,
  };
}

/** What all charts of a day have in common: they show the same time, and the same moment of it is pointed at. */
export function dayOptions(height: number, zoomed: (chart: UPlot) => void) {
  return {
    // It is made as wide as its place as soon as that is known.
    width: 1,
    height,
    padding: [8, 8, 0, 0] as [number, number, number, number],
    cursor: { sync: { key: 'day', setSeries: false }, points: { show: false }, y: false },
    hooks: {
      setScale: [
        (chart: UPlot, scale: string) => {
          if (scale === 'x') zoomed(chart);
        },
      ],
    },
  } satisfies Omit<UPlot.Options, 'series'>;
}
