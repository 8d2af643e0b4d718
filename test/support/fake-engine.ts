import { randomBytes } from 'node:crypto';
import type { Clock } from '../../src/clock.js';
import {
  EngineError,
  type ContainerEngine,
  type EndsListener,
  type EngineInfo,
  type NamedPilot,
  type Ownership,
  type PullProgress,
} from '../../src/engine/container-engine.js';
import {
  fromContainerSummary,
  hasInheritedLabels,
  pilotLabels,
  toCreateOptions,
  type Labels,
} from '../../src/engine/pilot-container.js';
import { expectPilot, readContainerSettings } from '../../src/engine/docker-settings.js';
import type { ContainerSettings, PilotSpec } from '../../src/model.js';
import { createFaultyCalls, type Calls, type Faults } from './faulty-calls.js';
import { createFakeEvents, type FakeEvents } from './fake-events.js';
import { createFakeImages, withTag } from './fake-images.js';
import { describeFake, hasExited, toPilotEnd, type FakeContainer } from './fake-container.js';

/** How the process in a fake container behaves. */
export interface Behaviour {
  /** Ends by itself after this; undefined: never. */
  readonly lifetimeMs?: number | undefined;
  readonly exitCode?: number;
  readonly ignoresTerm?: boolean;
  /** How it ends when asked to; 143 if not given. */
  readonly termExitCode?: number;
  /** What it writes when it starts. */
  readonly output?: string;
  /** The engine refuses to start it, with this message. */
  readonly startError?: string;
}

export interface FakeEngineOptions {
  readonly clock: Clock;
  /** Images on the host at first; `busybox:latest` if not given. */
  readonly images?: readonly string[];
  /** `sleep N` lives N seconds and everything else for ever, if not given. */
  readonly behave?: (spec: PilotSpec) => Behaviour;
  /** How long a call takes before its deadline fires; 10 s if not given. */
  readonly deadlineMs?: number;
}

/** A container engine in memory, with handles to stage what goes wrong. Containers end by the clock it is given. */
export interface FakeEngine extends ContainerEngine, Faults {
  /** Calls so far, by method. */
  readonly calls: Calls;
  readonly events: FakeEvents;
  /** Images on the host: reference (always with tag or digest) to id. */
  readonly images: Map<string, string>;
  /** What the registry has. A pull of anything else is `not-found`. */
  readonly registry: Map<string, string>;
  /** How long a pull takes; 0 at first. */
  pullMs: number;
  /** Pilots of every instance, oldest first. */
  pilots(): readonly FakeContainer[];
  /** Everything on the engine, oldest first. */
  containers(): readonly FakeContainer[];
  /** Ends the process in a running container. */
  exit(name: string, exitCode: number): void;
  pause(name: string): void;
  unpause(name: string): void;
  /** A running container that is not ours, of an image that may carry labels. Returns its id. */
  addForeign(name: string, labels?: Labels, imageLabels?: Labels): string;
  /** The engine restarts without live-restore: everything that runs is killed. */
  killAll(): void;
}

const info: EngineInfo = {
  version: '20.10.24',
  apiVersion: '1.41',
  cgroupDriver: 'cgroupfs',
  cgroupVersion: 1,
  rootless: false,
  appArmor: false,
  logDriver: 'json-file',
  defaultRuntime: 'runc',
  dataRoot: '/var/lib/docker',
};

export function createFakeEngine(options: FakeEngineOptions): FakeEngine {
  const { clock, behave = behaveLikeSleep } = options;
  const faultyCalls = createFaultyCalls(clock, options.deadlineMs ?? 10_000);
  const { call } = faultyCalls;
  const containers = new Map<string, FakeContainer>();
  const hostImages = createFakeImages({
    names: options.images ?? ['busybox:latest'],
    wallMs: () => clock.now().wallMs,
    used: () => new Set([...containers.values()].flatMap(({ imageId }) => imageId ?? [])),
  });
  const { images } = hostImages;
  const registry = new Map(images);
  const events = createFakeEvents(() => clock.now().wallMs);

  /** Lets time have its effect; called before every look. */
  function catchUp(): void {
    const { monoMs, wallMs } = clock.now();
    for (const container of containers.values()) {
      if (container.state !== 'running' || container.endsMonoMs === undefined) continue;
      if (container.endsMonoMs <= monoMs) {
        end(container, container.behaviour.exitCode ?? 0, wallMs - (monoMs - container.endsMonoMs));
      }
    }
  }

  function find(id: string): FakeContainer {
    catchUp();
    const container = containers.get(id);
    if (container === undefined) throw new EngineError('not-found', `No such container: ${id}`);
    return container;
  }

  function named(name: string): FakeContainer {
    catchUp();
    const container = [...containers.values()].find((candidate) => candidate.name === name);
    if (container === undefined) throw new Error(`The fake engine has no container named ${name}`);
    return container;
  }

  function end(container: FakeContainer, exitCode: number, finishedWallMs = clock.now().wallMs): void {
    Object.assign(container, { state: 'exited', exitCode, finishedWallMs, ranMs: ranMs(container) });
    events.note(container, finishedWallMs);
  }

  function ranMs(container: FakeContainer): number {
    if (container.startedMonoMs === undefined) return 0;
    return Math.min(clock.now().monoMs, container.endsMonoMs ?? Infinity) - container.startedMonoMs;
  }

  function create(spec: PilotSpec, cgroupParent: string | undefined): string {
    const imageId = images.get(withTag(spec.image));
    if (imageId === undefined) throw new EngineError('not-found', `No such image: ${spec.image}`);
    if ([...containers.values()].some((container) => container.name === spec.name)) {
      throw new EngineError('conflict', `Conflict. The container name "/${spec.name}" is already in use`);
    }
    const labels = toCreateOptions(spec, cgroupParent, info).Labels;
    const { wallMs } = clock.now();
    const container = emptyContainer(spec.name, labels, wallMs);
    return add({ ...container, spec, imageId, cgroupParent, behaviour: behave(spec) });
  }

  /** Nothing but what was asked for. */
  function settings({ id, name, labels, spec, cgroupParent }: FakeContainer, pilot: NamedPilot): ContainerSettings {
    expectPilot({ Id: id, Name: `/${name}`, Config: { Labels: labels } }, id, pilot);
    if (spec === undefined) throw new EngineError('refused', 'the fake engine knows the settings of pilots only');
    const { HostConfig, ...Config } = toCreateOptions(spec, cgroupParent, info);
    return readContainerSettings({ Config, HostConfig });
  }

  function add(container: FakeContainer): string {
    containers.set(container.id, container);
    return container.id;
  }

  function start(container: FakeContainer): void {
    if (container.state === 'running') return;
    const { startError, lifetimeMs } = container.behaviour;
    if (startError !== undefined) throw new EngineError('refused', startError);
    const { monoMs, wallMs } = clock.now();
    container.state = 'running';
    container.startedMonoMs = monoMs;
    container.startedWallMs = wallMs;
    container.endsMonoMs = lifetimeMs === undefined ? undefined : monoMs + lifetimeMs;
    if (events.streams > 0) expectEnd(container);
  }

  /** Somebody wants to hear of it on time. */
  function expectEnd({ endsMonoMs }: FakeContainer): void {
    if (endsMonoMs !== undefined) void clock.sleep(endsMonoMs - clock.now().monoMs).then(catchUp);
  }

  function follow(listener: EndsListener): Promise<never> {
    for (const container of containers.values()) if (container.state === 'running') expectEnd(container);
    return events.follow(listener);
  }

  async function stop(id: string, stopSeconds: number): Promise<void> {
    catchUp();
    const container = containers.get(id);
    if (container?.state !== 'running' && container?.state !== 'paused') return;
    if (container.behaviour.ignoresTerm === true || container.state === 'paused') {
      await clock.sleep(stopSeconds * 1000);
      catchUp();
      if (!hasExited(container)) end(container, 137);
      return;
    }
    end(container, container.behaviour.termExitCode ?? 143);
  }

  function list(ownership: Ownership) {
    catchUp();
    const newestFirst = [...containers.values()].reverse();
    return newestFirst.flatMap((container) => {
      const summary = describeFake(container);
      const isTheirs = hasInheritedLabels(summary, container.imageLabels);
      return isTheirs ? [] : (fromContainerSummary(summary, ownership) ?? []);
    });
  }

  async function pull(reference: string, onProgress: (progress: PullProgress) => void, signal: AbortSignal) {
    onProgress({ doneBytes: 0, totalBytes: 1000, status: 'Downloading' });
    await clock.sleep(engine.pullMs, signal);
    if (signal.aborted) throw new EngineError('timeout', `Gave up pulling ${reference}`);
    const id = registry.get(withTag(reference));
    if (id === undefined) throw new EngineError('not-found', `manifest for ${reference} not found`);
    onProgress({ doneBytes: 1000, totalBytes: 1000, status: 'Pull complete' });
    hostImages.receive(reference, id);
  }

  const engine: FakeEngine = Object.assign(faultyCalls, {
    events,
    images,
    registry,
    pullMs: 0,
    info: () => call('info', () => info),
    listPilots: (ownership) => call('listPilots', () => list(ownership)),
    createPilot: (spec, cgroupParent) => call('createPilot', () => create(spec, cgroupParent)),
    settingsOf: (id, pilot) => call('settingsOf', () => settings(find(id), pilot)),
    startPilot: (id) =>
      call('startPilot', () => {
        start(find(id));
      }),
    stopPilot: (id, stopSeconds) => call('stopPilot', () => stop(id, stopSeconds)),
    pausePilot: (id) =>
      call('pausePilot', () => {
        const container = find(id);
        if (container.state !== 'running' && container.state !== 'paused') {
          throw new EngineError('conflict', `Container ${id} is not running`);
        }
        container.state = 'paused';
      }),
    unpausePilot: (id) =>
      call('unpausePilot', () => {
        const container = find(id);
        if (container.state === 'paused') container.state = 'running';
      }),
    removePilot: (id) =>
      call('removePilot', () => {
        const container = containers.get(id);
        if (container?.state === 'running' || container?.state === 'paused') end(container, 137);
        containers.delete(id);
      }),
    pilotEnd: (id) =>
      call('pilotEnd', () => {
        catchUp();
        return toPilotEnd(containers.get(id));
      }),
    logTail: (id, tail) => call('logTail', () => lastLines(outputOf(find(id)), tail.lines).slice(-tail.maxBytes)),
    followLog: (id, { lines, onText }) =>
      call('followLog', () => {
        onText(lastLines(outputOf(find(id)), lines));
      }),
    followEnds: (listener) => call('followEnds', () => follow(listener)),
    pilotCpuNs: (id) => call('pilotCpuNs', () => cpuNs(find(id))),
    findImage: (reference) => call('findImage', () => findImage(reference)),
    pullImage: (reference, onProgress, signal) => call('pullImage', () => pull(reference, onProgress, signal)),
    listImages: (instance) => call('listImages', () => hostImages.list(instance)),
    markImage: (reference, instance, before) =>
      call('markImage', () => {
        hostImages.mark(reference, instance, before);
      }),
    dropImage: (id, instance) => call('dropImage', () => hostImages.drop(id, instance)),
    pilots: () => engine.containers().filter((container) => pilotLabels.managed in container.labels),
    containers: () => {
      catchUp();
      return [...containers.values()];
    },
    exit: (name, exitCode) => {
      end(named(name), exitCode);
    },
    pause: (name) => {
      named(name).state = 'paused';
    },
    unpause: (name) => {
      named(name).state = 'running';
    },
    addForeign: (name, labels = {}, imageLabels = {}) => {
      const container = { ...emptyContainer(name, { ...imageLabels, ...labels }, clock.now().wallMs), imageLabels };
      start(container);
      return add(container);
    },
    killAll: () => {
      for (const container of engine.containers()) if (container.state === 'running') end(container, 137);
    },
  } satisfies Omit<FakeEngine, keyof Faults | 'calls'>);

  function cpuNs(container: FakeContainer): number {
    if (container.state !== 'running') throw new EngineError('refused', `${container.name} does not run`);
    return ranMs(container) * (container.spec?.cpus ?? 0) * 1e6;
  }

  function findImage(reference: string) {
    const id = images.get(withTag(reference));
    return id === undefined ? null : { reference, id, createdWallMs: undefined };
  }

  return engine;
}

function outputOf({ behaviour, state }: FakeContainer): string {
  return state === 'created' ? '' : (behaviour.output ?? '');
}

function lastLines(text: string, lines: number): string {
  const all = text.split(/(?<=\n)/);
  return all.slice(Math.max(0, all.length - lines)).join('');
}

function emptyContainer(name: string, labels: Labels, createdWallMs: number): FakeContainer {
  return {
    id: randomBytes(32).toString('hex'),
    name,
    labels,
    imageLabels: {},
    createdWallMs,
    state: 'created',
    behaviour: {},
    spec: undefined,
    imageId: undefined,
    cgroupParent: undefined,
    exitCode: undefined,
    oomKilled: false,
    startedMonoMs: undefined,
    startedWallMs: undefined,
    endsMonoMs: undefined,
    finishedWallMs: undefined,
    ranMs: 0,
  };
}

function behaveLikeSleep(spec: PilotSpec): Behaviour {
  const seconds = /(?:^|\/)sleep (\d+)$/.exec(spec.command.join(' '))?.[1];
  return seconds === undefined ? {} : { lifetimeMs: Number(seconds) * 1000 };
}
