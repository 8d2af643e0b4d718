import type { Hold } from '../decision.js';
import type { EngineFailure } from '../model.js';

/** What a fault is, for programs. */
export type FaultCode =
  | `engine-${EngineFailure['kind']}`
  | 'engine-effects'
  | 'engine-starts'
  | 'pilots-failing'
  | 'pilot-stuck'
  | 'pilot-unknown'
  | 'image'
  | 'image-unknown'
  | 'policy'
  | 'config-refused'
  | 'config-unreachable'
  | 'run-directory'
  | 'host-unreadable'
  | 'memory'
  | 'disk'
  | 'pressure'
  | 'tasks';

/** What is wrong, what Plancton does about it, and what the reader can do. */
export interface Words {
  readonly what: string;
  readonly doing: string;
  readonly cure: string;
}

const LEFT_ALONE = 'pilots are left as they are, none is started or removed, and the engine is asked again and again';
const ENGINE_LOG = 'systemctl status docker; journalctl -u docker';
const REFUSES: Words = { what: 'the container engine refuses to list pilots', doing: LEFT_ALONE, cure: ENGINE_LOG };

/** By what a list of pilots failed with. */
export const ENGINE_FAULTS: Readonly<Record<EngineFailure['kind'], Words>> = {
  unreachable: {
    what: 'the container engine does not run, or cannot be reached',
    doing: LEFT_ALONE,
    cure: 'systemctl status docker; where it runs, look at --engine or DOCKER_HOST',
  },
  forbidden: {
    what: "the container engine's socket may not be used by the user Plancton runs as",
    doing: LEFT_ALONE,
    cure: 'run Plancton as root, or add its user to the group that owns the socket',
  },
  timeout: {
    what: 'the container engine takes requests and does not answer',
    doing: LEFT_ALONE,
    cure: `${ENGINE_LOG}; a restart of the engine helps, and ends its containers unless live-restore is on`,
  },
  malformed: {
    what: 'what answers in place of the container engine makes no sense',
    doing: LEFT_ALONE,
    cure: 'see what listens there (--engine, DOCKER_HOST): another service, a proxy, an engine of another kind',
  },
  refused: REFUSES,
  'not-found': REFUSES,
  invalid: REFUSES,
  conflict: REFUSES,
};

/** Holds that are trouble of the host and not the ordinary limit of a day. */
export const HOLD_FAULTS: Readonly<Partial<Record<Hold['gate'], Words & { readonly code: FaultCode }>>> = {
  policy: {
    code: 'policy',
    what: 'the policy of this host does not allow what the configuration asks for, or there is no policy',
    doing: 'no pilot is started; those that run go on',
    cure: 'planctonctl policy check; change the configuration, or as root the policy (planctonctl policy init)',
  },
  'stale-sample': {
    code: 'host-unreadable',
    what: 'the load of this host cannot be read',
    doing: 'no pilot is started or evicted; those past their time to live are removed',
    cure: 'see whether /proc/stat can be read by the user Plancton runs as',
  },
  memory: {
    code: 'memory',
    what: 'there is too little memory for another pilot',
    doing: 'additional pilots wait; those that run go on, and are replaced when they end',
    cure: 'free memory, or lower max_dock_mem or min_free_mem',
  },
  disk: {
    code: 'disk',
    what: "the engine's disk is nearly full",
    doing: 'additional pilots wait; those that run go on, and are replaced when they end',
    cure: 'docker system df; make room on that disk, or lower min_free_disk',
  },
  pressure: {
    code: 'pressure',
    what: 'this host is short of memory or its disks are overloaded',
    doing: 'additional pilots wait; those that run go on unless the shortage of memory lasts',
    cure: 'see what takes them: cat /proc/pressure/memory /proc/pressure/io',
  },
  tasks: {
    code: 'tasks',
    what: 'this host has hardly room for more processes',
    doing: 'additional pilots wait; those that run go on, and are replaced when they end',
    cure: 'see whose they are: ps -eLo user= | sort | uniq -c; lower max_dock_pids, or raise kernel.pid_max and kernel.threads-max',
  },
};
