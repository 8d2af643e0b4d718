import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { createJournal, JOURNAL_FOLDER, JOURNAL_SINK } from '../journal/journal.js';
import { createPostMortems, POST_MORTEM_FOLDER } from '../journal/post-mortems.js';
import { fanOut, type DaemonEvent, type EventSink, type SinkState, type TellTrouble } from '../report/event.js';
import { toPoints } from '../report/influx-points.js';
import { createInfluxSink } from '../report/influx-sink.js';
import type { Metrics } from '../report/metrics.js';
import type { DaemonOptions } from './options.js';

/** All places where what happens is told, kept and counted. */
export interface Sinks {
  readonly publish: EventSink;
  /** Figures that are counted from the first call on, and not before: what counts them is as large as all the rest of the daemon's reports. */
  readonly metrics: () => Promise<Metrics>;
  /** Has somebody else told of everything, too. */
  readonly admit: (sink: EventSink) => void;
  /** Tells all of them that one, or something like it, gets into trouble or out of it. */
  readonly tell: (sink: string) => TellTrouble;
  setTargets(influxTargets: readonly string[]): void;
  states(): readonly SinkState[];
  close(deadlineMs: number): Promise<void>;
}

/** Counts nothing until it is asked; begins with the last cycle then. */
function createLateMetrics({ version, clock }: Pick<DaemonOptions, 'version' | 'clock'>) {
  let loading: Promise<Metrics> | undefined;
  let metrics: Metrics | undefined;
  let last: DaemonEvent | undefined;
  let acceptedWallMs: number | undefined;
  const load = async (): Promise<Metrics> => {
    const { createMetrics } = await import('../report/metrics.js');
    const made = createMetrics({ version, clock, acceptedWallMs });
    if (last !== undefined) made.sink(last);
    [metrics, last] = [made, undefined];
    return made;
  };
  return {
    sink: (event: DaemonEvent): void => {
      if (metrics !== undefined) metrics.sink(event);
      else if (event.type === 'cycle') last = event;
      else if (event.type === 'config-accepted') acceptedWallMs = clock.now().wallMs;
    },
    get: () => {
      loading ??= load().catch((error: unknown) => {
        // Files that are being replaced are there again soon.
        loading = undefined;
        throw error;
      });
      return loading;
    },
  };
}

/** All who are told of everything; others may join them. */
function createAudience() {
  const sinks: EventSink[] = [];
  const publish = fanOut(sinks);
  const admit = (...more: readonly EventSink[]) => {
    sinks.push(...more);
  };
  const tell =
    (sink: string): TellTrouble =>
    (message, isOver = false) => {
      publish({ type: isOver ? 'sink-recovered' : 'sink-trouble', sink, message });
    };
  return { publish, admit, tell };
}

/** Everything that happens goes to whoever started the daemon, to the journal, to the post-mortems, to InfluxDB and to those who count. */
export function assembleSinks(
  options: Pick<DaemonOptions, 'clock' | 'stateDir' | 'version' | 'onEvent'>,
  hostname: string,
  config: () => Config | undefined,
): Sinks {
  const { clock, stateDir } = options;
  const metrics = createLateMetrics(options);
  const { publish, admit, tell } = createAudience();
  const influx = createInfluxSink({ targets: [], clock, onTrouble: tell('influxdb') });
  const kept = { clock, limits: config };
  const journal = createJournal({ ...kept, folder: join(stateDir, JOURNAL_FOLDER), onTrouble: tell(JOURNAL_SINK) });
  const postMortemFolder = join(stateDir, POST_MORTEM_FOLDER);
  const postMortems = createPostMortems({ ...kept, folder: postMortemFolder, onTrouble: tell('post-mortems') });
  const shortName = hostname.split('.')[0] ?? hostname;
  admit(
    (event) => {
      options.onEvent(event);
    },
    journal.sink,
    postMortems.sink,
    (event) => {
      influx.write(toPoints(event, shortName));
    },
    metrics.sink,
  );
  return {
    publish,
    admit,
    metrics: metrics.get,
    tell,
    setTargets: (targets) => {
      influx.setTargets(targets);
    },
    states: () => {
      const { journal_size: room = 0, post_mortem_size: roomForDead = 0 } = config() ?? {};
      return [
        ...(room > 0 ? [{ name: JOURNAL_SINK, trouble: journal.trouble() }] : []),
        ...(roomForDead > 0 ? [{ name: 'post-mortems', trouble: postMortems.trouble() }] : []),
        ...influx.states(),
      ];
    },
    close: async (deadlineMs) => {
      await influx.close(deadlineMs);
      // Last: what has been lost at the end is kept.
      await Promise.all([journal, postMortems].map((sink) => sink.close(deadlineMs)));
    },
  };
}
