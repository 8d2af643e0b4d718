import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What happened to one container, as the engine tells it. */
export interface ContainerEvent {
  readonly action: 'create' | 'start' | 'kill' | 'die' | 'destroy';
  readonly id: string;
  readonly image: string;
  /** Only of `die`. */
  readonly exitCode: number | undefined;
  /** By the clock of the engine, ms since 1970. */
  readonly atMs: number;
}

/** Everything that happens to the containers of an engine, in order and without gaps. */
export interface ContainerDiary {
  readonly events: readonly ContainerEvent[];
  /** The most containers that ran at the same time. */
  mostRunning(): number;
  /** Ids that had this happen to them. */
  idsOf(action: ContainerEvent['action']): ReadonlySet<string>;
  stop(): Promise<void>;
}

const actions = ['create', 'start', 'kill', 'die', 'destroy'] as const;

/** Writes down what happens from now on at the engine of `dockerHost`. */
export async function keepContainerDiary(dockerHost: string): Promise<ContainerDiary> {
  const filters = ['type=container', ...actions.map((action) => `event=${action}`)];
  // From a little earlier, so that nothing is missed while the client connects.
  const since = String(Math.floor(Date.now() / 1000) - 1);
  const argv = ['events', '--since', since, '--format', '{{json .}}', ...filters.flatMap((text) => ['--filter', text])];
  const env = { ...process.env, DOCKER_HOST: dockerHost, DOCKER_CONFIG: '/nonexistent' };
  const child = spawn('docker', argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  const events: ContainerEvent[] = [];
  createInterface(child.stdout).on('line', (line) => {
    events.push(readEvent(line));
  });
  return {
    events,
    mostRunning: () => mostRunning(events),
    idsOf: (action) => new Set(events.filter((event) => event.action === action).map(({ id }) => id)),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill();
      await exit;
    },
  };
}

function readEvent(line: string): ContainerEvent {
  // Nobody but the docker client writes these lines.
  const { Action, Actor, timeNano } = JSON.parse(line) as {
    readonly Action: ContainerEvent['action'];
    readonly timeNano: number;
    readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  };
  const exitCode = Actor.Attributes['exitCode'];
  return {
    action: Action,
    id: Actor.ID,
    image: Actor.Attributes['image'] ?? '',
    exitCode: exitCode === undefined ? undefined : Number(exitCode),
    atMs: timeNano / 1e6,
  };
}

function mostRunning(events: readonly ContainerEvent[]): number {
  let running = 0;
  let most = 0;
  for (const { action } of events) {
    if (action === 'start') running += 1;
    if (action === 'die') running -= 1;
    most = Math.max(most, running);
  }
  return most;
}
