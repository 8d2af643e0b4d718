import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createExecutor, type Executor, type ExecutorOptions } from '../act/execute.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { LoopPorts } from './control-loop.js';
import { isReasonToLook } from '../plan/reason-to-look.js';
import type { DaemonOptions } from './options.js';
import { createPullReporter } from './pull-progress.js';
import { PilotEvents } from './pilot-events.js';
import { createAutopsy } from './autopsy.js';
import { createEngineSession, type EngineSession } from './engine-session.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import { discreet, type Hide } from '../engine/discreet-engine.js';
import type { EndedCall } from '../engine/docker-connection.js';
import { createDockerEngine } from '../engine/docker-engine.js';
import type { Ground } from './ground.js';
import { KnownSecrets } from './known-secrets.js';
import { Newcomers } from './newcomers.js';
import type { Outcome, PilotUsage } from '../model.js';
import { createServiceCpu } from '../observe/daemon-cpu.js';
import { createHostSampler, type HostSampler } from '../observe/host-sampler.js';
import { createObserver, type Observer } from '../observe/observe.js';
import { createOwnCpu } from '../observe/own-cpu.js';
import { createNetworkGauge } from '../observe/pilot-network.js';
import { PilotUsages } from '../observe/pilot-usage.js';
import { createResourceReader } from '../observe/resources.js';
import { readRunMode } from '../observe/run-mode.js';
import type { EventSink } from '../report/event.js';
import { assembleSinks, type Sinks } from './sinks.js';
import { createStatusBoard, type StatusBoard } from './status-board.js';
import { assembleSurface, type ShownDaemon } from './surface.js';

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
  close(): Promise<unknown>;
}

/** The engine, what is known of it, and what it tells. */
function assembleEngine(
  { clock, engineHost, engineDeadlines = {}, registryAuthFile }: DaemonOptions,
  ground: Ground,
  publish: EventSink,
  hide: Hide,
) {
  const { instance, wake } = ground;
  const onCall = (call: EndedCall) => {
    publish({ type: 'engine-called', ...call });
  };
  const engine = discreet(
    createDockerEngine({ host: engineHost, clock, registryAuthFile, deadlines: engineDeadlines, onCall }),
    hide,
  );
  const remote = !engineHost.startsWith('unix:');
  const onLost = () => {
    session.doubt();
  };
  const events = new PilotEvents({ clock, engine, instance, wake, publish, onLost, random: Math.random });
  const onFound = () => {
    events.engineFound();
  };
  const session = createEngineSession({ clock, engine, instance, remote, publish, onFound });
  return { engine, remote, events, session };
}

/** Builds every part of the daemon and connects them. Nothing runs yet but the socket on which it is looked at. */
export function assemble(options: DaemonOptions, ground: Ground): Parts {
  const { clock, signal } = options;
  const { host, instance, keeper, gate, wake } = ground;
  const bounded = createBoundedConfig(() => keeper.state.inForce?.config, gate);
  const sinks = assembleSinks(options, host.hostname, bounded.current);
  const secrets = new KnownSecrets();
  const hide: Hide = (text) => secrets.hide(text);
  const surface = assembleSurface(options, ground, sinks);
  sinks.admit(surface.sink);
  const { publish } = sinks;
  const { engine, remote, events, session } = assembleEngine(options, ground, publish, hide);
  const { connect, confirm, disconnect } = session;
  const states = () => [...sinks.states(), ...surface.states()];
  const board = createStatusBoard(options, ground, session, { events, sinks: states });
  const usages = new PilotUsages(session.group, createNetworkGauge());
  const usageOf = (id: string) => usages.of(id);
  const autopsy = createAutopsy({ engine, usageOf, config: bounded.current, publish, hide });
  const executor = assembleExecutor(engine, session, publish, {
    ...{ clock, instance, gate, wake, count: board.count, usageOf },
    takeEnd: (id) => events.takeEnd(id),
    beforeRemoval: (action, ended) => autopsy.perform(action, ended),
  });
  const observer = assembleObserver(options, ground, { engine, session, executor, usages, remote });
  const onCycle = tellOfCycles(options, bounded, { publish, sinks, events, board, surface });
  const narrow: LoopPorts['narrow'] = async (wanted) => {
    const narrowed = await gate.narrow(wanted);
    // Before any pilot is given them.
    secrets.know(narrowed.config);
    return narrowed;
  };
  const loop = { clock, signal, keeper, executor, observer, narrow };
  return {
    ports: { ...loop, connect, confirm, disconnect, publish, onCycle },
    publish,
    engineFolder: () => (remote ? undefined : session.info()?.dataRoot),
    close: () => {
      events.close();
      return Promise.all([surface.close(), sinks.close(SINK_CLOSE_MS)]);
    },
  };
}

/** Those who want to know of each cycle, beside whoever started the daemon. */
interface Listeners {
  readonly publish: EventSink;
  readonly sinks: Sinks;
  readonly events: PilotEvents;
  readonly board: StatusBoard;
  readonly surface: ShownDaemon;
}

function tellOfCycles(
  options: DaemonOptions,
  bounded: ReturnType<typeof createBoundedConfig>,
  { publish, sinks, events, board, surface }: Listeners,
): LoopPorts['onCycle'] {
  const newcomers = new Newcomers(publish);
  let ready = false;
  return (cycle, nextInMs) => {
    const inForce = bounded.refresh();
    sinks.setTargets(inForce?.influxdb_url ?? []);
    if (!('failure' in cycle)) {
      events.compare(cycle.observation.pilots);
      newcomers.note(cycle.observation.pilots);
    }
    const status = board.status(cycle, nextInMs);
    surface.show(status, inForce?.http_address);
    options.onCycle(status);
    if (!ready) options.onReady();
    ready = true;
  };
}

/** The configuration in force within the caps of the policy, worked out once a cycle. */
function createBoundedConfig(config: () => Config | undefined, gate: Pick<Ground['gate'], 'capped'>) {
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

interface Observed {
  readonly engine: ContainerEngine;
  readonly session: EngineSession;
  readonly executor: Executor;
  readonly usages: PilotUsages;
  /** The engine is on another host. */
  readonly remote: boolean;
}

function assembleObserver(
  { clock, runDir, early }: DaemonOptions,
  { host, instance, keeper }: Ground,
  { engine, session, executor, usages, remote }: Observed,
): Observer {
  const { group } = session;
  return createObserver({
    clock,
    host,
    instance,
    engine,
    group,
    usages,
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
    takeEnd,
    beforeRemoval,
    usageOf,
  }: Pick<ExecutorOptions, 'takeEnd' | 'beforeRemoval'> & {
    usageOf: (id: string) => PilotUsage | undefined;
    clock: Clock;
    instance: string;
    gate: Ground['gate'];
    wake: () => void;
    count: (outcome: Outcome) => void;
  },
): Executor {
  return createExecutor({
    clock,
    engine,
    instance,
    cgroupParent: () => session.group().parent,
    violations: (settings, asked) => gate.violations(settings, asked),
    takeEnd,
    beforeRemoval,
    onOutcome: (outcome) => {
      count(outcome);
      const { action } = outcome;
      const usage = action.type === 'remove' ? usageOf(action.pilot.id) : undefined;
      publish({ type: 'action-ended', outcome, atWallMs: clock.now().wallMs, usage });
      if (isReasonToLook(outcome)) wake();
    },
    onProgress: createPullReporter(clock, publish),
  });
}

function assembleSampler(
  { clock, early }: Pick<DaemonOptions, 'clock' | 'early'>,
  engine: ContainerEngine,
  { group }: EngineSession,
  config: () => Config | undefined,
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
