import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { createDaemon } from '../../src/daemon/daemon.js';
import type { DaemonEnd } from '../../src/daemon/options.js';
import type { EngineDeadlines } from '../../src/engine/docker-connection.js';
import { MACHINE_ID_FILE, readInstance } from '../../src/observe/instance.js';
import type { DaemonEvent } from '../../src/report/event.js';
import type { Status } from '../../src/report/status.js';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.js';
import { permissivePolicy, quickConfig } from '../support/plancton-process.js';
import { deadlineMs } from './cases.js';
import type { Contender } from './contender.js';

type Settings = Readonly<Record<string, unknown>>;

/** A daemon behind a proxy of its own. */
export interface Lane extends Contender {
  readonly proxy: ChaosProxy;
  /** Everything that it has said so far. */
  readonly events: readonly DaemonEvent[];
  status(): Status | undefined;
}

/** Pilots that end are replaced at once, whatever they ended for, and nothing is waited for longer than a loop. */
const base = {
  ...{ ...quickConfig, cpus_per_dock: 0.5 },
  ...{ fizzle_seconds: 0, backoff_seconds: 1, backoff_max: 1 },
} as const;

const [quick, slow] = [deadlineMs({}), deadlineMs({ slow: true })];
const deadlines = {
  ...{ versionMs: quick, infoMs: quick, listMs: quick, inspectMs: quick, logMs: quick, pullStallMs: quick },
  ...{ createMs: slow, startMs: slow, stopMs: slow, removeMs: slow, dropImageMs: slow },
};

/** Allows whatever the tests ask for; what they bind also for writing, which a policy allows by name only. */
function policyFor({ binds = [] }: Settings): string {
  const policy = JSON.parse(permissivePolicy) as { readonly binds: readonly string[] };
  const written = (binds as readonly string[]).map((bind) => `${bind.split(':')[0] ?? ''}:rw`);
  return JSON.stringify({ ...policy, binds: [...policy.binds, ...written] });
}

/** Starts a daemon in folders of its own; `more`: deadlines that are to be others. */
export async function openLane(
  engineHost: string,
  settings: Settings,
  more: Partial<EngineDeadlines> = {},
): Promise<Lane> {
  const dir = mkdtempSync(join(tmpdir(), 'plancton-lane-'));
  for (const name of ['run', 'conf', 'state']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'policy.yaml'), policyFor(settings), { mode: 0o644 });
  const instance = await readInstance(join(dir, 'run'), MACHINE_ID_FILE, hostname());
  const proxy = await startChaosProxy(join(dir, 'engine.sock'), engineHost);
  const configure = (changes: Settings) => {
    // JSON is YAML.
    writeFileSync(join(dir, 'conf', 'config.yaml'), JSON.stringify({ ...base, ...settings, ...changes }));
  };
  configure({});
  const events: DaemonEvent[] = [];
  let status: Status | undefined;
  let end: DaemonEnd | { readonly why: string } | undefined;
  const stop = new AbortController();
  const daemon = createDaemon({
    clock: systemClock,
    version: '0.0.0',
    confDir: join(dir, 'conf'),
    runDir: join(dir, 'run'),
    stateDir: join(dir, 'state'),
    engineHost: proxy.host,
    engineDeadlines: { ...deadlines, ...more },
    registryAuthFile: join(dir, 'registry-auth.json'),
    policyFile: join(dir, 'policy.yaml'),
    ownPlaces: { hidden: [], readOnly: [] },
    uid: 0,
    env: process.env,
    signal: stop.signal,
    onReady: () => undefined,
    onCycle: (seen) => (status = seen),
    onEvent: (event) => events.push(event),
  });
  const running = daemon.run().then(
    (reason) => (end = reason),
    (error: unknown) => (end = { why: String(error) }),
  );
  return {
    instance,
    runDir: join(dir, 'run'),
    proxy,
    events,
    status: () => status,
    cycles: () => status?.cycles ?? 0,
    told: () => (status?.faults ?? []).map(({ code }) => code),
    configure: (changes) => {
      configure(changes);
      daemon.reload();
    },
    ended: () => end?.why,
    stop: async () => {
      stop.abort();
      await running;
      await proxy.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
