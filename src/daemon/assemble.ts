import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createExecutor, type Executor } from '../act/execute.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { isReasonToLook, type LoopPorts } from './control-loop.js';
import type { DaemonOptions } from './options.js';
import { createPullReporter } from './pull-progress.js';
import { PilotEvents } from './pilot-events.js';
import { createEngineSession, type EngineSession } from './engine-session.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import { createDockerEngine } from '../engine/docker-engine.js';
import type { Ground } from './ground.js';
import { createJournal, JOURNAL_FOLDER } from '../journal/journal.js';
import type { Outcome } from '../model.js';
import { createServiceCpu } from '../observe/daemon-cpu.js';
import { createHostSampler, type HostSampler } from '../observe/host-sampler.js';
import { createObserver, type Observer } from '../observe/observe.js';
import { createOwnCpu } from '../observe/own-cpu.js';
import { createResourceReader } from '../observe/resources.js';
import { readRunMode } from '../observe/run-mode.js';
import { fanOut, type EventSink } from '../report/event.js';
import { toPoints } from '../report/influx-points.js';
import { createInfluxSink } from '../report/influx-sink.js';
import { createStatusBoard } from './status-board.js';

const PROC_ROOT = '/proc';
const CGROUP_ROOT = '/sys/fs/cgroup';
/** What monitoring may take when the daemon ends. */
const SINK_CLOSE_MS = 2000;

export interface Parts {
  readonly ports: LoopPorts;
  readonly publish: EventSink;
  /** Where the engine keeps its containers, if that is on this host and known. */
  readonly engineFolder: () => string | undefined;
  /** Ends what runs beside the loop; lets the sinks finish, for a short while. */
  close(): Promise<void>;
}

type CurrentConfig = () => Config | undefined;

/** Builds every part of the daemon and connects them. Nothing runs yet. */
export function assemble(options: DaemonOptions, ground: Ground): Parts {
  const { clock, engineHost, engineDeadlines = {}, registryAuthFile, signal } = options;
  const { host, instance, keeper, gate, wake } = ground;
  const config: CurrentConfig = () => keeper.state.inForce?.config;
  const bounded = createBoundedConfig(config, gate);
  const { publish, ...sinks } = assembleSinks(options, host.hostname, bounded.current);
  const engine = createDockerEngine({ host: engineHost, clock, registryAuthFile, deadlines: engineDeadlines });
  const remote = !engineHost.startsWith('unix:');
  const onLost = () => {
    session.doubt();
  };
  const events = new PilotEvents({ clock, engine, instance, wake, publish, onLost, random: Math.random });
  const onFound = () => {
    events.engineFound();
  };
  const session = createEngineSession({ clock, engine, instance, remote, publish, onFound });
  const { connect, confirm, disconnect } = session;
  const board = createStatusBoard(options, ground, session, events);
  const executor = assembleExecutor(engine, session, publish, { clock, instance, gate, wake, count: board.count });
  const observer = assembleObserver(options, ground, { engine, session, executor, remote });
  let ready = false;
  const onCycle: LoopPorts['onCycle'] = (cycle, nextInMs) => {
    sinks.setTargets(bounded.refresh()?.influxdb_url ?? []);
    if (!('failure' in cycle)) events.compare(cycle.observation.pilots);
    options.onCycle(board.status(cycle, nextInMs));
    if (!ready) options.onReady();
    ready = true;
  };
  return {
    ports: {
      clock,
      signal,
      keeper,
      executor,
      observer,
      narrow: (wanted) => gate.narrow(wanted),
      connect,
      confirm,
      disconnect,
      publish,
      onCycle,
    },
    publish,
    engineFolder: () => (remote ? undefined : session.info()?.dataRoot),
    close: () => {
      events.close();
      return sinks.close(SINK_CLOSE_MS);
    },
  };
}

/** The configuration in force within the caps of the policy, worked out once a cycle. */
function createBoundedConfig(config: CurrentConfig, gate: Pick<Ground['gate'], 'capped'>) {
  let known: { readonly of: Config; readonly bounded: Config } | undefined;
  const current = (): Config | undefined => {
    const wanted = config();
    if (wanted === undefined) return undefined;
    if (known?.of !== wanted) known = { of: wanted, bounded: gate.capped(wanted) };
    return known.bounded;
  };
  const refresh = (): Config | undefined => {
    known = undefined;
    return current();
  };
  return { current, refresh };
}

interface Sinks {
  readonly publish: EventSink;
  setTargets(influxTargets: readonly string[]): void;
  close(deadlineMs: number): Promise<void>;
}

/** Everything that happens goes to whoever started the daemon, to the journal and to InfluxDB. */
function assembleSinks(options: DaemonOptions, hostname: string, config: CurrentConfig): Sinks {
  const { clock, stateDir } = options;
  const tell = (sink: string) => (message: string) => {
    options.onEvent({ type: 'sink-trouble', sink, message });
  };
  const influx = createInfluxSink({ targets: [], clock, onTrouble: tell('influxdb') });
  const journal = createJournal({
    folder: join(stateDir, JOURNAL_FOLDER),
    clock,
    limits: config,
    onTrouble: tell('journal'),
  });
  const shortName = hostname.split('.')[0] ?? hostname;
  return {
    publish: fanOut([
      (event) => {
        options.onEvent(event);
      },
      journal.sink,
      (event) => {
        influx.write(toPoints(event, shortName));
      },
    ]),
    setTargets: (targets) => {
      influx.setTargets(targets);
    },
    close: async (deadlineMs) => {
      await Promise.all([influx.close(deadlineMs), journal.close(deadlineMs)]);
    },
  };
}

interface Observed {
  readonly engine: ContainerEngine;
  readonly session: EngineSession;
  readonly executor: Executor;
  /** The engine is on another host. */
  readonly remote: boolean;
}

function assembleObserver(
  { clock, runDir, early }: DaemonOptions,
  { host, instance, keeper }: Ground,
  { engine, session, executor, remote }: Observed,
): Observer {
  const { group } = session;
  return createObserver({
    clock,
    host,
    instance,
    engine,
    group,
    readMode: () => readRunMode(runDir),
    readMounts: () => readMounts(remote),
    sampler: assembleSampler({ clock, early }, engine, session, () => keeper.state.inForce?.config),
    readResources: createResourceReader({
      clock,
      procRoot: PROC_ROOT,
      dataRoot: () => (remote ? null : session.info()?.dataRoot),
      pilotsBytes: () => group().readMemoryBytes(),
    }),
    inFlight: () => executor.inFlight(),
    takeOutcomes: () => executor.takeOutcomes(),
  });
}

/** The mounts of this host, unless the engine is on another one. */
async function readMounts(remote: boolean): Promise<string> {
  return remote ? '' : readFile(join(PROC_ROOT, 'self', 'mountinfo'), 'utf8');
}

function assembleExecutor(
  engine: ContainerEngine,
  session: EngineSession,
  publish: EventSink,
  {
    clock,
    instance,
    gate,
    wake,
    count,
  }: { clock: Clock; instance: string; gate: Ground['gate']; wake: () => void; count: (outcome: Outcome) => void },
): Executor {
  return createExecutor({
    clock,
    engine,
    instance,
    cgroupParent: () => session.group().parent,
    violations: (settings, asked) => gate.violations(settings, asked),
    onOutcome: (outcome) => {
      count(outcome);
      publish({ type: 'action-ended', outcome, atWallMs: clock.now().wallMs });
      if (isReasonToLook(outcome)) wake();
    },
    onProgress: createPullReporter(clock, publish),
  });
}

function assembleSampler(
  { clock, early }: Pick<DaemonOptions, 'clock' | 'early'>,
  engine: ContainerEngine,
  { group }: EngineSession,
  config: CurrentConfig,
): HostSampler {
  return createHostSampler({
    clock,
    source: () => config()?.cpu_source ?? 'auto',
    procRoot: PROC_ROOT,
    ownCpu: createOwnCpu({ clock, engine, group, cpusPerDock: () => config()?.cpus_per_dock ?? 1 }),
    serviceCpu: createServiceCpu({
      procRoot: PROC_ROOT,
      cgroupRoot: CGROUP_ROOT,
      ownCgroups: () => config()?.own_cgroups ?? [],
    }),
    early,
  });
}
