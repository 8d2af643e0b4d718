import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { ContainerEngine, EngineInfo } from '../engine/container-engine.js';
import { preparePilotCgroup, type PilotCgroup } from '../observe/pilot-cgroup.js';
import type { EventSink } from '../report/event.js';

/** What failed to be prepared is tried again after this: systemd may take its time at boot, and each try may take as long. */
const RETRY_MS = 300_000;

export interface EngineSessionOptions {
  readonly clock: Clock;
  readonly engine: ContainerEngine;
  readonly instance: string;
  /** The engine runs on another host. */
  readonly remote: boolean;
  readonly publish: EventSink;
  /** Told each time the engine is found, at first and after it was lost. */
  readonly onFound: () => void;
}

/** What is known about the engine as long as it answers, and the cgroup prepared for its pilots. */
export interface EngineSession {
  /** Looks at the engine and prepares the cgroup, if that was not done since it was lost. Rejects with an EngineError. */
  readonly connect: (config: Config) => Promise<void>;
  /** The pilots could be listed: an engine that only tells its version is not found yet. */
  readonly confirm: () => void;
  readonly disconnect: () => void;
  /** It may have been another one for a moment, or be one now: it is looked at again. */
  readonly doubt: () => void;
  readonly info: () => EngineInfo | undefined;
  readonly group: () => PilotCgroup;
}

/** Before the first connect: nothing is known, so nothing may be assumed to yield. */
const NO_GROUP: PilotCgroup = {
  parent: undefined,
  yields: 'none',
  readCpuNs: () => undefined,
  readMemoryBytes: () => undefined,
  usageOf: () => undefined,
  holds: () => false,
  state: () => 'as prepared',
  describe: () => 'not known yet',
};

export function createEngineSession(options: EngineSessionOptions): EngineSession {
  const { clock, engine, instance, remote, publish, onFound } = options;
  let info: EngineInfo | undefined;
  let isConfirmed = false;
  let isDoubted = false;
  let group = NO_GROUP;
  let nice: boolean | undefined;
  let preparedMs = -Infinity;

  const prepare = async (found: EngineInfo, config: Config) => {
    group = await preparePilotCgroup({ instance, info: found, nice: config.nice, remote });
    nice = config.nice;
    preparedMs = clock.now().monoMs;
  };
  // A group that somebody removed would be made anew by the engine, at the default weight: pilots would stop yielding.
  const isDue = (config: Config) => {
    const state = group.state();
    const mayRetry = clock.now().monoMs - preparedMs >= RETRY_MS;
    return nice !== config.nice || state === 'changed' || (state === 'failed' && mayRetry);
  };
  return {
    connect: async (config) => {
      const known = isDoubted ? undefined : info;
      // Another doubt may come while this one is being cleared up.
      isDoubted = false;
      const found = known ?? (await engine.info());
      if (found !== info || isDue(config)) await prepare(found, config);
      info = found;
    },
    confirm: () => {
      if (isConfirmed || info === undefined) return;
      isConfirmed = true;
      const { version, apiVersion } = info;
      publish({ type: 'engine-found', version, apiVersion, yields: group.describe() });
      onFound();
    },
    disconnect: () => {
      info = undefined;
      isConfirmed = false;
    },
    doubt: () => {
      isDoubted = true;
    },
    info: () => info,
    group: () => group,
  };
}
