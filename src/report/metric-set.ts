import { readdirSync } from 'node:fs';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../clock.js';

/** Seconds: from pilots that found no work to those that live for days. */
const LIFETIMES = [1, 10, 60, 600, 3600, 21_600, 86_400, 259_200];

/** Seconds: most calls take some milliseconds; a start on a busy host many seconds, and each is given up in the end. */
const CALL_TIMES = [0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds: a cycle waits for a list of pilots and for a look at the image. */
const LOOP_TIMES = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];
/** Seconds: from what is nearly here to tens of GB over a slow line. */
const PULL_TIMES = [1, 5, 15, 60, 300, 900, 3600, 7200];

/** How the engine may fail to do something. */
const FAILURES = ['unreachable', 'forbidden', 'timeout', 'not-found', 'invalid', 'conflict', 'refused', 'malformed'];
/** Where events go besides the log. */
const SINKS = ['journal', 'post-mortems', 'influxdb', 'http'];
const SPAWN_REASONS = ['growth', 'replacement', 'probe'];
const REMOVAL_REASONS = ['exited', 'never-started', 'expired', 'evicted', 'force-stop'];

/** How metrics of one registry are made. */
interface Maker {
  readonly gauge: (name: string, help: string, ...labelNames: string[]) => Gauge;
  /** `values`: of its label; what is known to be counted begins at 0, so that its first time is a rise. */
  readonly counter: (name: string, help: string, label?: string | string[], values?: readonly string[]) => Counter;
  readonly histogram: (name: string, help: string, buckets: readonly number[], ...labelNames: string[]) => Histogram;
}

function createMaker(registry: Registry): Maker {
  const registers = [registry];
  return {
    gauge: (name, help, ...labelNames) => {
      const made = new Gauge({ name: `plancton_${name}`, help, labelNames, registers });
      // Nothing is known until it is set: 0 would be a figure like any other.
      if (labelNames.length === 0) made.remove();
      return made;
    },
    counter: (name, help, label, values = []) => {
      const labelNames = label === undefined ? [] : [label].flat();
      const made = new Counter({ name: `plancton_${name}`, help, labelNames, registers });
      for (const value of values) made.inc({ [labelNames[0] ?? '']: value }, 0);
      return made;
    },
    histogram: (name, help, buckets, ...labelNames) =>
      new Histogram({ name: `plancton_${name}`, help, labelNames, buckets: [...buckets], registers }),
  };
}

/** The host, and who uses it. */
function hostMetrics({ gauge, counter }: Maker) {
  return {
    hostCpus: gauge('host_cpus', 'CPUs of this host that are online'),
    idle: gauge('host_cpu_idle_ratio', 'Share of the CPUs that was idle at the last look'),
    used: gauge('host_cpu_used_ratio', 'Share of the CPUs that was not idle at the last look'),
    foreign: gauge('foreign_cpus', 'CPUs that others used at the last look'),
    memory: gauge('host_memory_available_bytes', 'Memory that can be had without swapping'),
    disk: gauge('engine_disk_free_bytes', 'Room on the disk of the container engine'),
    cpuSeconds: counter('host_cpu_seconds_total', 'CPU time of this host, by who had it', 'by', [
      'pilots',
      'others',
      'nobody',
    ]),
  };
}

/** Pilots, and what became of them. */
function pilotMetrics({ gauge, counter, histogram }: Maker) {
  return {
    pilots: gauge('pilots', 'Pilots there are, by state', 'state'),
    most: gauge('pilots_max', 'The cap in force (max_docks)'),
    fitting: gauge('pilots_fitting', 'Pilots that would fit in all'),
    launchable: gauge('pilots_launchable', 'Pilots that may be started for growth, as far as all gates allow'),
    gate: gauge('gate_pilots', 'Pilots that a gate would let start; none: it sets no limit', 'gate'),
    coolDown: gauge('grace_spawn_remaining_seconds', 'How long growth is held yet after an eviction'),
    backOff: gauge('back_off_remaining_seconds', 'How long nothing is started yet, since pilots ended too soon'),
    overload: gauge('overload_seconds', 'How long pilots have been promised more CPUs than others leave them'),
    promised: gauge('pilot_cpus_promised', 'CPUs promised to the pilots that hold a slot'),
    limited: gauge('limited', 'What keeps the daemon from starting more pilots: 1', 'gate'),
    started: counter('pilots_started_total', 'Pilots started', 'reason', SPAWN_REASONS),
    removed: counter('pilots_removed_total', 'Pilots removed', 'reason', REMOVAL_REASONS),
    startFailures: counter('pilot_start_failures_total', 'Pilots that could not be started', 'kind', FAILURES),
    removalFailures: counter(
      'pilot_removal_failures_total',
      'Removals that failed and are tried again',
      'kind',
      FAILURES,
    ),
    exits: counter('pilot_exit_codes_total', 'Pilots that ended by themselves, by exit code', 'class', [
      ...['0', '1-127', 'signal', 'oom'],
    ]),
    lifetimes: histogram('pilot_lifetime_seconds', 'How long pilots lived, by why they went', LIFETIMES, 'reason'),
    stuck: gauge('pilots_stuck', 'Pilots that could not be removed and are tried again'),
  };
}

/** The daemon itself. */
function daemonMetrics({ gauge, counter, histogram }: Maker) {
  return {
    buildInfo: gauge('build_info', 'What runs', 'version', 'revision', 'node_version'),
    up: gauge('up', 'Whether the daemon runs'),
    state: gauge('state', 'What the daemon does: 1 for the state it is in', 'state'),
    engineUp: gauge('engine_up', 'Whether the container engine answers'),
    engineCalls: counter('engine_requests_total', 'Calls of the container engine, by how they ended', ['op', 'code']),
    engineTimes: histogram('engine_request_duration_seconds', 'How long the container engine took', CALL_TIMES, 'op'),
    loopTimes: histogram('loop_duration_seconds', 'From the beginning of a cycle until all was begun', LOOP_TIMES),
    cycles: counter('cycles_total', 'Cycles of the loop', 'result', ['done', 'held']),
    cycleAt: gauge('loop_last_completed_timestamp_seconds', 'When a cycle was completed last'),
    nextCycle: gauge('next_cycle_seconds', 'Time from the last cycle to the next one, at the latest'),
    sinkTroubles: counter('sink_troubles_total', 'Times that a place where events go got into trouble', 'sink', SINKS),
    sinkPoints: counter('sink_points_total', 'Points for a place where events go, by what became of them', [
      ...['sink', 'result'],
    ]),
    sinkQueue: gauge('sink_queue_length', 'Points that wait for a place where events go', 'sink'),
    sinkUp: gauge('sink_up', 'Whether a place where events are kept or go works', 'sink'),
  };
}

/** What pilots are made from. */
function configMetrics({ gauge, counter, histogram }: Maker) {
  return {
    pulls: counter('image_pulls_total', 'Pulls of images', 'result', ['done', 'failed']),
    pullTimes: histogram('image_pull_duration_seconds', 'How long pulls of images took', PULL_TIMES),
    imageAge: gauge('image_age_seconds', 'Time since the wanted image was made'),
    imagePresent: gauge('image_present', 'Whether the wanted image is on this host'),
    reloads: counter('config_reloads_total', 'New configurations seen', 'result', [
      ...['accepted', 'refused', 'rolled_back'],
    ]),
    reloaded: gauge('config_last_reload_successful', 'Whether the newest configuration seen is in force'),
    reloadedAt: gauge('config_last_reload_success_timestamp_seconds', 'When a configuration was put in force last'),
    syncs: counter('config_sync_total', 'Times that the source of the configuration was asked', 'result', [
      ...['done', 'failed'],
    ]),
  };
}

export type MetricSet = ReturnType<typeof createMetricSet>;

/** The metrics of one daemon, by the rules of Prometheus: base units, `_total` on counters only, the host is no label. */
export function createMetricSet(registry: Registry) {
  const maker = createMaker(registry);
  return { ...daemonMetrics(maker), ...hostMetrics(maker), ...pilotMetrics(maker), ...configMetrics(maker) };
}

/** What every process has, by the usual names. */
export function addProcessMetrics(registry: Registry, clock: Clock): void {
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  new Counter({
    ...{ name: 'process_cpu_seconds_total', help: 'CPU time of this process', registers },
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const startedSeconds = clock.now().wallMs / 1000 - process.uptime();
  gauge('process_resident_memory_bytes', 'Resident memory of this process', () => process.memoryUsage.rss());
  // One of them is the folder that is being read.
  gauge('process_open_fds', 'Open file descriptors', () => readdirSync('/proc/self/fd').length - 1);
  gauge('process_start_time_seconds', 'When this process was started', () => startedSeconds);
  new Gauge({
    ...{ name: 'nodejs_eventloop_lag_seconds', help: 'How long what was next in this process had to wait', registers },
    async collect() {
      const fromMs = clock.now().monoMs;
      await new Promise(setImmediate);
      this.set((clock.now().monoMs - fromMs) / 1000);
    },
  });
}
