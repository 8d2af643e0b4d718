import type { Config } from '../config/schema.js';
import type { ContainerEngine, EngineInfo } from '../engine/container-engine.js';
import { preparePilotCgroup, type PilotCgroup } from '../observe/pilot-cgroup.js';
import type { EventSink } from '../report/event.js';

export interface EngineSessionOptions {
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
  readonly disconnect: () => void;
  readonly info: () => EngineInfo | undefined;
  readonly group: () => PilotCgroup;
}

/** Before the first connect: nothing is known, so nothing may be assumed to yield. */
const NO_GROUP: PilotCgroup = {
  parent: undefined,
  yields: 'none',
  readCpuNs: () => undefined,
  readMemoryBytes: () => undefined,
  holds: () => false,
  describe: () => 'not known yet',
};

export function createEngineSession(options: EngineSessionOptions): EngineSession {
  const { engine, instance, remote, publish, onFound } = options;
  let info: EngineInfo | undefined;
  let group = NO_GROUP;
  let nice: boolean | undefined;

  /** A group that somebody removed would be made anew by the engine, at the default weight: pilots would stop yielding. */
  const groupIsThere = () => group.parent === undefined || group.readCpuNs() !== undefined;
  const prepare = async (found: EngineInfo, config: Config) => {
    group = await preparePilotCgroup({ instance, info: found, nice: config.nice, remote });
    nice = config.nice;
  };
  return {
    connect: async (config) => {
      if (info === undefined) {
        const found = await engine.info();
        await prepare(found, config);
        info = found;
        const { version, apiVersion } = found;
        publish({ type: 'engine-found', version, apiVersion, yields: group.describe() });
        onFound();
      } else if (nice !== config.nice || !groupIsThere()) {
        await prepare(info, config);
      }
    },
    disconnect: () => {
      info = undefined;
    },
    info: () => info,
    group: () => group,
  };
}
