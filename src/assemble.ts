import { pid } from 'node:process';
import { createExecutor } from './act/execute.js';
import type { ConfigKeeper } from './config/keeper.js';
import type { Config } from './config/schema.js';
import type { ConfigSource } from './config/source.js';
import type { LoopPorts } from './control-loop.js';
import type { DaemonOptions } from './daemon.js';
import { createEngineSession, type EngineSession } from './engine-session.js';
import { createDockerEngine } from './engine/docker-engine.js';
import type { EngineFailure, HostFacts, Outcome } from './model.js';
import { createServiceCpu } from './observe/daemon-cpu.js';
import { createHostSampler } from './observe/host-sampler.js';
import { createObserver } from './observe/observe.js';
import { createOwnCpu } from './observe/own-cpu.js';
import type { Cycle } from './reconcile.js';
import { fanOut, type DaemonEvent, type EventSink } from './report/event.js';
import { toPoints } from './report/influx-points.js';
import { createInfluxSink, type InfluxSink } from './report/influx-sink.js';
import { toStatus, type Status } from './report/status.js';

const PROC_ROOT = '/proc';
const CGROUP_ROOT = '/sys/fs/cgroup';
/** What monitoring may take when the daemon ends. */
const SINK_CLOSE_MS = 2000;

/** What was found out before the parts can be built. */
export interface Ground {
  readonly host: HostFacts;
  readonly instance: string;
  readonly source: ConfigSource;
  readonly keeper: ConfigKeeper<Config>;
  readonly wake: () => void;
}

export interface Parts {
  readonly ports: LoopPorts;
  readonly publish: EventSink;
  /** Lets the sinks finish, for a short while. */
  close(): Promise<void>;
}

/** Builds every part of the daemon and connects them. Nothing runs yet. */
export function assemble(options: DaemonOptions, ground: Ground): Parts {
  const { clock, engineHost, registryAuthFile, runDir, signal } = options;
  const { host, instance, keeper, wake } = ground;
  const config = () => keeper.state.inForce?.config;

  const influx = createInfluxSink({
    targets: [],
    clock,
    onTrouble: (message) => {
      options.onEvent({ type: 'sink-trouble', sink: 'influxdb', message });
    },
  });
  const publish = fanOut([options.onEvent, toInflux(influx, host)]);
  const engine = createDockerEngine({ host: engineHost, clock, registryAuthFile });
  const remote = !engineHost.startsWith('unix:');
  const session = createEngineSession({ engine, instance, remote, publish });
  const board = createStatusBoard(options, ground, session);
  const executor = createExecutor({
    engine,
    cgroupParent: () => session.group().parent,
    onOutcome: (outcome) => {
      board.count(outcome);
      publish({ type: 'action-ended', outcome, atWallMs: clock.now().wallMs });
      // A pilot that is gone leaves room, a new image may be used: both are reasons to look again. A failure waits for the timer.
      if (outcome.result === 'done' && outcome.action.type !== 'spawn') wake();
    },
    onProgress: (reference, { doneBytes, totalBytes }) => {
      publish({ type: 'pull-progress', reference, doneBytes, totalBytes });
    },
  });
  const sampler = createHostSampler({
    clock,
    source: () => config()?.cpu_source ?? 'auto',
    procRoot: PROC_ROOT,
    ownCpu: createOwnCpu({ clock, engine, group: session.group, cpusPerDock: () => config()?.cpus_per_dock ?? 1 }),
    serviceCpu: createServiceCpu({
      procRoot: PROC_ROOT,
      cgroupRoot: CGROUP_ROOT,
      ownCgroups: () => config()?.own_cgroups ?? [],
    }),
  });
  const observer = createObserver({
    clock,
    host,
    instance,
    runDir,
    engine,
    sampler,
    group: session.group,
    inFlight: () => executor.inFlight(),
    takeOutcomes: () => executor.takeOutcomes(),
  });
  let ready = false;
  const onCycle: LoopPorts['onCycle'] = (cycle, nextInMs, failure) => {
    influx.setTargets(config()?.influxdb_url ?? []);
    options.onCycle(board.status(cycle, nextInMs, failure));
    if (!ready) options.onReady();
    ready = true;
  };
  const { connect, disconnect } = session;
  return {
    ports: { clock, signal, keeper, executor, observer, connect, disconnect, publish, onCycle },
    publish,
    close: () => influx.close(SINK_CLOSE_MS),
  };
}

function toInflux(influx: InfluxSink, host: HostFacts): EventSink {
  const shortName = host.hostname.split('.')[0] ?? host.hostname;
  return (event: DaemonEvent) => {
    influx.write(toPoints(event, shortName));
  };
}

interface StatusBoard {
  count(outcome: Outcome): void;
  status(cycle: Cycle | undefined, nextInMs: number, failure: EngineFailure | undefined): Status;
}

/** Keeps what a status tells beyond the cycle at hand. */
function createStatusBoard(options: DaemonOptions, ground: Ground, session: EngineSession): StatusBoard {
  const { clock, version, engineHost } = options;
  const { host, instance, source, keeper } = ground;
  const startedWallMs = clock.now().wallMs;
  let seen: Cycle | undefined;
  let cycles = 0;
  let totals: Status['totals'] = { spawned: 0, ended: 0, evicted: 0, failed: 0 };
  return {
    count(outcome) {
      totals = addOutcome(totals, outcome);
    },
    status(cycle, nextCycleInMs, failure) {
      seen = cycle ?? seen;
      cycles += 1;
      const { inForce, refused, unreachable } = keeper.state;
      const info = session.info();
      return toStatus({
        version,
        pid,
        instance,
        host,
        startedWallMs,
        now: clock.now(),
        nextCycleInMs,
        cycles,
        trouble: failure?.message,
        seen,
        yields: { mode: session.group().yields, text: session.group().describe() },
        wantedImage: inForce?.config.docker_image ?? '',
        engine: { host: engineHost, version: info?.version, apiVersion: info?.apiVersion },
        config: {
          source: source.describe(),
          revision: inForce?.revision.id,
          refused: refused && { revision: refused.revisionId, problems: refused.problems },
          unreachable,
        },
        totals,
      });
    },
  };
}

function addOutcome(totals: Status['totals'], { action, result }: Outcome): Status['totals'] {
  if (result === 'failed') return { ...totals, failed: totals.failed + 1 };
  if (result === 'skipped' || action.type === 'pull') return totals;
  if (action.type === 'spawn') return { ...totals, spawned: totals.spawned + 1 };
  const evicted = totals.evicted + (action.reason === 'evicted' ? 1 : 0);
  return { ...totals, ended: totals.ended + 1, evicted };
}
