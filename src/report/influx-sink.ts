import type { Clock } from '../clock.js';
import type { SinkState, TellTrouble } from './event.js';
import { parseInfluxTarget } from './influx-target.js';
import { InfluxWriter } from './influx-writer.js';
import { toLine, type Point } from './line-protocol.js';

export interface InfluxSink {
  /** Takes points and returns at once; never throws, whatever the targets do. */
  write(points: readonly Point[]): void;
  /** Replaces the targets; what waits for one that stays is kept. */
  setTargets(targets: readonly string[]): void;
  /** How each target is. */
  states(): readonly SinkState[];
  /** Tries to get rid of what waits, for `deadlineMs` at most. Never rejects. */
  close(deadlineMs: number): Promise<void>;
}

export interface InfluxSinkOptions {
  /** As in the configuration; see `parseInfluxTarget`. */
  readonly targets: readonly string[];
  readonly clock: Clock;
  /** Of any target; never hears credentials. */
  readonly onTrouble: TellTrouble;
}

/** For what waits for a target that is no more: a password that was changed makes another one of it. */
const PARTING_MS = 5000;

/** Writes points to any number of InfluxDB databases, each on its own: one that is dead costs the others nothing. */
export function createInfluxSink({ targets, clock, onTrouble }: InfluxSinkOptions): InfluxSink {
  const writers = new Map<string, InfluxWriter>();
  let written = 0;

  function setTargets(wanted: readonly string[]): void {
    for (const [text, writer] of writers) {
      if (wanted.includes(text)) continue;
      writers.delete(text);
      void writer.close(PARTING_MS);
    }
    wanted.forEach((text, index) => {
      if (writers.has(text)) return;
      const target = parseInfluxTarget(text);
      if (target) writers.set(text, new InfluxWriter(target, clock, onTrouble));
      else onTrouble(`influxdb_url: target ${index + 1} is not http://, https:// or insecure_https:// URL#database`);
    });
  }
  setTargets(targets);

  return {
    setTargets,
    write(points) {
      if (writers.size === 0) return;
      // A number of its own for each line, so that points of one millisecond do not replace each other.
      const lines = points.flatMap((point) => toLine(point, written++ % 1_000_000) ?? []);
      for (const writer of writers.values()) writer.add(lines);
    },
    states: () => [...writers.values()].map(({ state }) => state),
    async close(deadlineMs) {
      await Promise.all([...writers.values()].map((writer) => writer.close(deadlineMs)));
      writers.clear();
    },
  };
}
