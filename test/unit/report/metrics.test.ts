import { describe, expect, it } from 'vitest';
import type { Outcome, RemovalReason } from '../../../src/model.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { createMetrics } from '../../../src/report/metrics.js';
import { aStatus } from '../../support/a-status.js';
import { aPilot, aSample, aSpec, anObservation, someResources } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { aConfig, aStory } from '../../support/plan-builders.js';

type Observed = Parameters<typeof anObservation>[0];

function cycle(observed: Observed = {}, gates: readonly string[] = ['cap']): DaemonEvent {
  const decision = aStory(aConfig({ max_docks: 3 })).look();
  const capacity = { ...decision.capacity, maxDocks: 3, admissible: 2, promised: 1.5 };
  const holds = gates.map((gate) => ({ gate, text: 'x' })) as typeof decision.holds;
  const plan = { actions: [], capacity, holds, gates: [] };
  return { type: 'cycle', number: 1, uptimeMs: 0, tookMs: 3, observation: anObservation(observed), plan };
}

function ended(action: Outcome['action'], rest: Partial<Outcome> = {}): DaemonEvent {
  const outcome = { action, result: 'done', error: undefined, ended: undefined, ...rest } as const;
  return { type: 'action-ended', atWallMs: 1, outcome };
}

function removed(reason: RemovalReason, exitCode: number, oomKilled = false): DaemonEvent {
  const action = { type: 'remove', pilot: aPilot(), reason, stopSeconds: 0, ageMs: 0 } as const;
  return ended(action, { ended: { exitCode, oomKilled, startedWallMs: 0, finishedWallMs: 30_000 } });
}

/** Each figure by its name and labels. */
async function figures(...events: readonly DaemonEvent[]): Promise<ReadonlyMap<string, number>> {
  const metrics = createMetrics({ version: '1.2.3+abc', clock: createFakeClock() });
  for (const event of events) metrics.sink(event);
  const lines = (await metrics.text(undefined)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('the metrics', () => {
  it('tell what the last cycle saw', async () => {
    const sample = aSample({ cpus: 8, busy: 6, idle: 2, own: 3, service: 0.5, spanMs: 30_000 });
    const pilots = [aPilot(), aPilot({ id: 'b' }), aPilot({ id: 'c', state: 'exited' })];
    const read = await figures(cycle({ sample, pilots, resources: someResources() }));
    const wanted = {
      plancton_up: 1,
      plancton_host_cpus: 8,
      plancton_host_cpu_idle_ratio: 0.25,
      plancton_host_cpu_used_ratio: 0.75,
      plancton_foreign_cpus: 2.5,
      'plancton_host_cpu_seconds_total{by="pilots"}': 90,
      'plancton_host_cpu_seconds_total{by="others"}': 75,
      'plancton_host_cpu_seconds_total{by="nobody"}': 60,
      'plancton_pilots{state="running"}': 2,
      'plancton_pilots{state="exited"}': 1,
      'plancton_pilots{state="paused"}': 0,
      plancton_pilots_max: 3,
      plancton_pilots_fitting: 2,
      plancton_pilot_cpus_promised: 1.5,
      'plancton_limited{gate="cap"}': 1,
      plancton_engine_up: 1,
      'plancton_state{state="active"}': 1,
      'plancton_state{state="draining"}': 0,
    };
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, read.get(name)]))).toEqual(wanted);
    const build = 'plancton_build_info{version="1.2.3",revision="abc",';
    expect([...read.keys()].some((name) => name.startsWith(build))).toBe(true);
    expect(read.get('nodejs_eventloop_lag_seconds')).toBe(0);
  });

  it('count a sample once, and what limits only while it does', async () => {
    const sample = aSample({ seq: 5, idle: 1, spanMs: 1000 });
    const read = await figures(cycle({ sample }), cycle({ sample }, ['foreign-cpu']));
    expect(read.get('plancton_host_cpu_seconds_total{by="nobody"}')).toBe(1);
    expect(read.get('plancton_limited{gate="cap"}')).toBeUndefined();
    expect(read.get('plancton_limited{gate="foreign-cpu"}')).toBe(1);
    expect(read.get('plancton_cycles_total{result="done"}')).toBe(2);
  });

  it('count what was done, and how pilots ended', async () => {
    const spawn = { type: 'spawn', reason: 'growth', spec: aSpec() } as const;
    const error = { kind: 'refused', message: 'no' } as const;
    const read = await figures(
      ended(spawn),
      ended(spawn, { result: 'skipped' }),
      ended(spawn, { result: 'failed', error }),
      ended({ type: 'pull', reference: 'x', reason: 'missing' }, { result: 'failed', error }),
      removed('exited', 0),
      removed('exited', 7),
      removed('exited', 143),
      removed('exited', 137, true),
      removed('evicted', 143),
    );
    const counted = (name: string) => read.get(`plancton_${name}`);
    expect(counted('pilots_started_total{reason="growth"}')).toBe(1);
    expect(counted('pilots_started_total{reason="probe"}')).toBe(0);
    expect(counted('pilot_start_failures_total{kind="refused"}')).toBe(1);
    expect(counted('image_pulls_total{result="failed"}')).toBe(1);
    expect(counted('pilots_removed_total{reason="exited"}')).toBe(4);
    expect(counted('pilots_removed_total{reason="evicted"}')).toBe(1);
    for (const end of ['0', '1-127', 'signal', 'oom']) {
      expect(counted(`pilot_exit_codes_total{class="${end}"}`)).toBe(1);
    }
    expect(counted('pilot_lifetime_seconds_bucket{le="10",reason="exited"}')).toBe(0);
    expect(counted('pilot_lifetime_seconds_bucket{le="60",reason="exited"}')).toBe(4);
  });

  it('tell how long the engine, the loop and pulls take', async () => {
    const pull = { type: 'pull', reference: 'x', reason: 'missing' } as const;
    const read = await figures(
      { type: 'engine-called', op: 'list', code: 'ok', tookMs: 4 },
      { type: 'engine-called', op: 'list', code: 'timeout', tookMs: 10_000 },
      { type: 'engine-called', op: 'create', code: '409', tookMs: 30 },
      { type: 'cycle-held', number: 1, atWallMs: 0, uptimeMs: 0, tookMs: 10_001 },
      cycle(),
      ended(pull, { tookMs: 90_000 }),
    );
    const counted = (name: string) => read.get(`plancton_${name}`);
    expect(counted('engine_requests_total{op="list",code="ok"}')).toBe(1);
    expect(counted('engine_requests_total{op="list",code="timeout"}')).toBe(1);
    expect(counted('engine_requests_total{op="create",code="409"}')).toBe(1);
    expect(counted('engine_request_duration_seconds_sum{op="list"}')).toBeCloseTo(10.004);
    expect(counted('engine_request_duration_seconds_bucket{le="0.005",op="list"}')).toBe(1);
    expect(counted('loop_duration_seconds_count')).toBe(2);
    expect(counted('loop_duration_seconds_bucket{le="10"}')).toBe(1);
    expect(counted('image_pull_duration_seconds_bucket{le="60"}')).toBe(0);
    expect(counted('image_pull_duration_seconds_bucket{le="300"}')).toBe(1);
  });

  it('tell what each gate would let start, and for how long those that open by themselves stay shut', async () => {
    const seen = (gates: Extract<DaemonEvent, { type: 'cycle' }>['plan']['gates']): DaemonEvent => {
      const event = cycle();
      return event.type === 'cycle' ? { ...event, plan: { ...event.plan, gates } } : event;
    };
    const cap = { gate: 'cap', most: 3, text: '' } as const;
    const disk = { gate: 'disk', most: null, text: '' } as const;
    const coolDown = { gate: 'cool-down', most: 1, leftMs: 12_500, text: '' } as const;
    const read = await figures(seen([cap, disk, coolDown, { gate: 'back-off', most: null, leftMs: 0, text: '' }]));
    expect(read.get('plancton_gate_pilots{gate="cap"}')).toBe(3);
    expect(read.get('plancton_gate_pilots{gate="disk"}')).toBeUndefined();
    expect(read.get('plancton_pilots_launchable')).toBe(1);
    expect(read.get('plancton_grace_spawn_remaining_seconds')).toBe(12.5);
    expect(read.get('plancton_back_off_remaining_seconds')).toBe(0);
    const later = await figures(seen([cap, coolDown]), seen([disk]));
    expect(later.get('plancton_gate_pilots{gate="cap"}')).toBeUndefined();
    expect(later.get('plancton_pilots_launchable')).toBeUndefined();
    expect(later.get('plancton_grace_spawn_remaining_seconds')).toBeUndefined();
  });

  it('tell for how long pilots have held more than others leave them', async () => {
    const seen = (seconds: number, promised: number, tolerable: number | undefined): DaemonEvent => {
      const event = cycle({ at: { wallMs: 0, bootMs: 0, monoMs: 1000 * seconds } });
      if (event.type !== 'cycle') return event;
      return { ...event, plan: { ...event.plan, capacity: { ...event.plan.capacity, promised, tolerable } } };
    };
    const overload = async (...events: readonly DaemonEvent[]) =>
      (await figures(...events)).get('plancton_overload_seconds');
    expect(await overload(seen(0, 2, 2))).toBe(0);
    expect(await overload(seen(0, 2, 1), seen(30, 3, 1))).toBe(30);
    expect(await overload(seen(0, 2, 1), seen(30, 1, 1), seen(60, 2, 1))).toBe(0);
    expect(await overload(seen(0, 2, 1), seen(30, 2, undefined))).toBeUndefined();
  });

  it('tell the state the daemon is in', async () => {
    const stateAfter = async (...events: readonly DaemonEvent[]) => {
      const read = await figures(...events);
      return [...read]
        .filter(([name, value]) => name.startsWith('plancton_state{') && value === 1)
        .map(([name]) => name);
    };
    const failure = { kind: 'unreachable', message: 'gone' } as const;
    expect(await stateAfter(cycle())).toEqual(['plancton_state{state="active"}']);
    expect(await stateAfter(cycle({ image: null }))).toEqual(['plancton_state{state="no_image"}']);
    expect(await stateAfter(cycle({ mode: 'drain' }))).toEqual(['plancton_state{state="draining"}']);
    expect(await stateAfter(cycle(), { type: 'mode-changed', mode: 'force-stop' })).toEqual([
      'plancton_state{state="stopping"}',
    ]);
    const lost = await figures(cycle(), { type: 'engine-lost', failure });
    expect([lost.get('plancton_engine_up'), lost.get('plancton_state{state="waiting_engine"}')]).toEqual([0, 1]);
    expect(await stateAfter({ type: 'engine-lost', failure }, cycle())).toEqual(['plancton_state{state="active"}']);
  });

  it('tell of configurations, and whether the newest is in force', async () => {
    const clock = createFakeClock();
    const metrics = createMetrics({ version: '1', clock });
    metrics.sink({ type: 'config-accepted', revision: 'a', warnings: [] });
    metrics.sink({ type: 'config-refused', revision: 'b', problems: [], kept: 'a' });
    for (const answered of [true, true, false]) metrics.sink({ type: 'config-asked', answered });
    const { config } = aStatus();
    const text = await metrics.text(aStatus({ config: { ...config, refused: { revision: 'b', problems: [] } } }));
    expect(text).toMatch(/^plancton_config_reloads_total\{result="accepted"\} 1$/m);
    expect(text).toMatch(/^plancton_config_reloads_total\{result="refused"\} 1$/m);
    expect(text).toMatch(/^plancton_config_sync_total\{result="done"\} 2$/m);
    expect(text).toMatch(/^plancton_config_sync_total\{result="failed"\} 1$/m);
    expect(text).toMatch(/^plancton_config_last_reload_successful 0$/m);
    const seconds = clock.now().wallMs / 1000;
    expect(text).toContain(`\nplancton_config_last_reload_success_timestamp_seconds ${seconds}\n`);
    expect(await metrics.text(aStatus())).toMatch(/^plancton_config_last_reload_successful 1$/m);
  });

  it('know by the status what happened before anybody asked', async () => {
    const metrics = createMetrics({ version: '1', clock: createFakeClock(), acceptedWallMs: 5000 });
    metrics.sink(cycle());
    const engine = { ...aStatus().engine, failure: 'unreachable' } as const;
    const fault = { subject: undefined, since: '2026-01-01T00:00:00Z', what: '', said: '', doing: '', cure: '' };
    const text = await metrics.text(
      aStatus({
        engine,
        image: { wanted: 'x', id: null, createdAt: undefined, pulling: undefined },
        faults: [{ ...fault, code: 'pilot-stuck' }],
        sinks: [
          { name: 'journal', trouble: undefined },
          { name: 'InfluxDB db', trouble: 'away', points: { written: 7, waiting: 20, lost: 3 } },
        ],
      }),
    );
    for (const line of [
      'plancton_engine_up 0',
      'plancton_state{state="waiting_engine"} 1',
      'plancton_image_present 0',
      'plancton_pilots_stuck 1',
      'plancton_next_cycle_seconds 30',
      'plancton_sink_points_total{sink="InfluxDB db",result="written"} 7',
      'plancton_sink_points_total{sink="InfluxDB db",result="lost"} 3',
      'plancton_sink_queue_length{sink="InfluxDB db"} 20',
      'plancton_config_last_reload_success_timestamp_seconds 5',
      'plancton_sink_up{sink="journal"} 1',
      'plancton_sink_up{sink="InfluxDB db"} 0',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).not.toMatch(/^plancton_image_age_seconds /m);
  });

  it('have no figure for what nobody knows', async () => {
    const read = await figures();
    for (const name of ['engine_up', 'image_present', 'pilots_fitting', 'loop_last_completed_timestamp_seconds']) {
      expect(read.has(`plancton_${name}`)).toBe(false);
    }
    const resources = { ...someResources(), memory: undefined };
    const lost = await figures(cycle({ resources: someResources() }), cycle({ resources }));
    expect(lost.has('plancton_host_memory_available_bytes')).toBe(false);
  });

  it('count troubles of what is told', async () => {
    const read = await figures({ type: 'sink-trouble', sink: 'journal', message: 'x' });
    expect(read.get('plancton_sink_troubles_total{sink="journal"}')).toBe(1);
    expect(read.get('plancton_sink_troubles_total{sink="influxdb"}')).toBe(0);
  });

  it('tell what this process takes', async () => {
    const read = await figures();
    expect(read.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(read.get('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(read.get('process_open_fds')).toBeGreaterThan(2);
  });
});
