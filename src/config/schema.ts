import * as z from 'zod';
import {
  bind,
  bindMode,
  capability,
  commandLine,
  device,
  imageName,
  networkName,
  securityOption,
  userAndGroup,
} from './container-values.js';
import { environment, influxTargets } from './secret-values.js';
import {
  amount,
  autoOr,
  count,
  duration,
  flag,
  listOf,
  localAddress,
  neverOr,
  oneOf,
  refusal,
  size,
  text,
  type ValueType,
} from './value-type.js';

const day = 86_400;
const year = 365 * day;
const manyCpus = 4096;
/** Engines refuse to limit memory to less than 6 MiB. */
const leastMemory = 6 * 2 ** 20;
/** Below this hardly a shell script works. */
export const fewestPids = 16;
/** Kernels count no further. */
export const mostPids = 2 ** 22;
/** More pilots than this on one host is a slip of the pen. */
export const maxPilots = 10_000;

/** User and group that own nothing anywhere. */
export const nobody = '65534:65534';

/** Everything there is to know about one key. */
export interface Key<Out = unknown> extends ValueType<Out> {
  /** As it would be written in the file; undefined: absent. */
  readonly fallback: unknown;
  /** Of a bare number. */
  readonly unit: string;
  /** One sentence. */
  readonly about: string;
  /** What a new configuration says instead: tighter than the default, on which older ones may rely. */
  readonly fresh?: unknown;
}

/** One row of a table of keys. */
export function key<Out>(
  type: ValueType<Out>,
  fallback: unknown,
  unit: string,
  about: string,
  fresh?: unknown,
): Key<Out> {
  return { ...type, fallback, unit, about, ...(fresh === undefined ? {} : { fresh }) };
}

function optional<Out>({ schema, accepted }: ValueType<Out>): ValueType<Out | undefined> {
  return { schema: schema.optional(), accepted };
}

/** A number or an expression, as text; load.ts evaluates it, since that takes the host and other keys. */
function cap(): ValueType<string> {
  const accepted = `a whole number up to ${maxPilots}, or arithmetic over ncpus, ram_bytes, swap_bytes, max_dock_mem, max_dock_swap`;
  const schema = z.union([z.number(), z.string()], { error: refusal(accepted) }).transform(String);
  return { schema, accepted };
}

/** The steps by which pilots make room, mildest first. */
function reclaimSteps(): ValueType<readonly ('freeze' | 'stop')[]> {
  const accepted = '[stop] or [freeze, stop]';
  const stop = z.literal('stop');
  const schema = z.union([z.tuple([stop]), z.tuple([z.literal('freeze'), stop])], { error: refusal(accepted) });
  return { schema, accepted };
}

const cgroupPath = text(
  'the path of a cgroup, such as /system.slice/cvmfs.service',
  (path) => /^\/?[^\0\s/]+(\/[^\0\s/]+)*$/.test(path) && !path.split('/').includes('..'),
);

/** All keys of the configuration, in the order in which people read about them. */
export const keys = {
  docker_image: key(imageName(), 'busybox', '', 'Image of the pilots.'),
  docker_cmd: key(
    commandLine(),
    '/bin/sleep 60',
    '',
    'Command of the pilots; an empty list runs the one of the image.',
  ),
  docker_entrypoint: key(optional(commandLine()), undefined, '', 'Entry point instead of the one of the image.'),
  docker_env: key(environment(), {}, '', 'Environment variables of the pilots.'),
  max_docks: key(
    cap(),
    'max(1, ncpus - 2)',
    'pilots',
    'Most pilots at a time; below 0 counts as 0. A lowered cap ends no pilot.',
  ),
  cpus_per_dock: key(amount(0.01, manyCpus), 1, 'CPUs', 'CPUs one pilot may use, as a hard limit.'),
  max_dock_mem: key(size(leastMemory, 2 ** 50), 2_000_000_000, 'bytes', 'Memory one pilot may use; 0 means no limit.'),
  max_dock_swap: key(size(0, 2 ** 50), 0, 'bytes', 'Swap one pilot may use in addition to its memory.'),
  max_dock_pids: key(
    count(fewestPids, mostPids),
    4096,
    'processes',
    'Processes and threads one pilot may have at a time: an end for fork bombs.',
  ),
  max_ttl: key(duration(1, year), day / 2, 'seconds', 'Age at which a running pilot is stopped.'),
  stop_timeout: key(duration(0, 3600), 10, 'seconds', 'Time between SIGTERM and SIGKILL when a pilot is stopped.'),
  docker_privileged: key(flag(), false, '', 'Run pilots privileged, which gives them the whole host.'),
  user_group: key(userAndGroup(), '0:0', '', 'User and group inside the pilots.', nobody),
  binds: key(listOf(bind()), [], '', 'Files and folders of the host that pilots see.'),
  bind_options: key(bindMode(), 'rw,rslave', '', 'Mount options of binds that name none.'),
  devices: key(listOf(device()), [], '', 'Devices of the host that pilots may use.'),
  capabilities: key(listOf(capability()), [], '', 'Linux capabilities to add or to drop.', ['-ALL']),
  security_opts: key(listOf(securityOption()), [], '', 'Security options; apparmor ones only where AppArmor is on.', [
    'no-new-privileges',
  ]),
  network: key(networkName(), 'bridge', '', 'Network of the pilots.'),
  main_sleep: key(duration(1, 3600), 30, 'seconds', 'Time between two looks at the host.'),
  docks_per_loop: key(
    count(0, maxPilots),
    4,
    'pilots',
    'Most additional pilots started after one look; replacements are not counted.',
  ),
  growth: key(
    oneOf('doubling', 'fixed'),
    'doubling',
    '',
    'Whether docks_per_loop doubles after each look while growing goes well, or stays fixed.',
  ),
  fizzle_seconds: key(
    duration(0, day),
    10,
    'seconds',
    'A pilot that ends sooner found no work or is broken; set it above the idle time-out of the pilots, 0 to judge none.',
  ),
  backoff_seconds: key(
    duration(1, day),
    10,
    'seconds',
    'Time without starts after three such pilots in a row; then one is tried. Doubles each time it is in vain.',
  ),
  backoff_max: key(
    duration(1, day),
    300,
    'seconds',
    'Longest time between two such tries, but for up to a quarter more that is left to chance.',
  ),
  grace_kill: key(
    duration(0, day),
    120,
    'seconds',
    'How long pilots may take more than their room before some must go.',
  ),
  grace_spawn: key(duration(0, day), 60, 'seconds', 'Time without additional pilots after some had to go.'),
  image_expiration: key(
    duration(60, year),
    day / 2,
    'seconds',
    'Time after which the registry is asked for a newer image.',
  ),
  image_keep: key(
    neverOr(duration(0, year)),
    7 * day,
    'seconds',
    'How long an image that Plancton pulled stays after another one has taken its place; never removes none.',
  ),
  updateconfig: key(duration(1, day), 60, 'seconds', 'Time between two looks for a new configuration.'),
  git_interval: key(duration(1, day), 60, 'seconds', 'Least time between two questions to a remote git server.'),
  influxdb_url: key(
    influxTargets(),
    [],
    '',
    'InfluxDB targets that receive measurements; ?org=NAME before # means InfluxDB 2, ?version=3 InfluxDB 3.',
  ),
  cpus: key(
    autoOr(0.1, manyCpus),
    'auto',
    'CPUs',
    'CPUs of the host that pilots may hold at most; auto means all that are online.',
  ),
  cpu_headroom: key(amount(0, manyCpus), 0, 'CPUs', 'CPUs always left to the owner of the host.'),
  cpu_slack: key(
    autoOr(0, manyCpus),
    'auto',
    'CPUs',
    'Use by others that is ignored; auto means 2 % of the host, at least half a CPU.',
  ),
  foreign_window: key(
    duration(0, day),
    300,
    'seconds',
    'Time over which the highest use by others decides about additional pilots.',
  ),
  evict_margin: key(amount(0, manyCpus), 0.25, 'CPUs', 'Excess of pilots over their room that is tolerated.'),
  evict: key(
    oneOf('always', 'never'),
    'always',
    '',
    'Whether pilots make room when others want the CPUs; never is for hosts given to pilots.',
  ),
  reclaim: key(
    reclaimSteps(),
    ['stop'],
    '',
    'How pilots make room for CPUs: stop them, or freeze them first, for pilots that survive it.',
  ),
  freeze_max: key(duration(1, day), 600, 'seconds', 'How long a pilot stays frozen before it is stopped.'),
  min_free_mem: key(
    size(0, 2 ** 50),
    256_000_000,
    'bytes',
    'Memory that additional pilots leave free, when all have taken what they may; 0 lets them start regardless.',
  ),
  min_free_disk: key(
    size(0, 2 ** 60),
    1_000_000_000,
    'bytes',
    "Room on the engine's disk below which no additional pilots are started, no image is pulled and superseded images go at once; 0 does not look at it.",
  ),
  policy: key(oneOf('capacity', 'legacy'), 'capacity', '', 'Capacity model, or the formulas of the original Plancton.'),
  cpu_source: key(
    oneOf('auto', 'systeminformation'),
    'auto',
    '',
    'Where CPU use is read; auto means /proc/stat where there is one.',
  ),
  nice: key(
    flag(),
    true,
    '',
    'Keep pilots in a cgroup of the lowest CPU and I/O weight, so that others never wait for them.',
  ),
  own_cgroups: key(listOf(cgroupPath), [], '', 'Cgroups whose CPU use serves the pilots and is not held against them.'),
  start_cost: key(amount(0, 3600), 0.3, 'CPU seconds', 'CPU time that starting one pilot costs the host.'),
  journal_size: key(
    size(2 ** 20, 2 ** 40),
    64_000_000,
    'bytes',
    'Room for the journal of decisions, which explain and history read; 0 keeps none.',
  ),
  journal_age: key(duration(60, year), 30 * day, 'seconds', 'How long the journal of decisions goes back at most.'),
  post_mortem_size: key(
    size(2 ** 17, 2 ** 40),
    4_000_000,
    'bytes',
    'Room for what is left of pilots that failed or were evicted, the end of their logs among it; 0 keeps none.',
  ),
  http_address: key(
    localAddress(),
    'none',
    '',
    'Where this host can look at the daemon by HTTP besides the socket in its run directory, metrics for Prometheus among it.',
  ),
  adopt_original: key(flag(), false, '', 'Take over the pilots that an original Plancton left running.'),
} satisfies Record<string, Key>;

export type KeyName = keyof typeof keys;

/** The configuration in force: durations in seconds, sizes in bytes, `max_docks` evaluated and at least 0. */
export type Config = {
  readonly [Name in Exclude<KeyName, 'max_docks'>]: z.output<(typeof keys)[Name]['schema']>;
} & { readonly max_docks: number };
