import { systemClock } from '../../src/clock.js';
import type { DaemonEvent } from '../../src/report/event.js';
import { quickConfig } from '../support/plancton-process.js';
import type { ArmedRule } from '../support/chaos-rules.js';
import { deadlineMs, type FaultCase } from './cases.js';
import type { Endpoint } from './endpoints.js';
import { lives } from './lives.js';
import { mayBeSilent } from './silent.js';
import { isCalm, killOne, patienceMs, running, startAfter, until, type Stage } from './stage.js';

export interface CaseResult {
  readonly name: string;
  readonly endpoint: string;
  /** Requests that the fault has hit. */
  readonly strikes: number;
  /** The daemon has said that something is wrong. */
  readonly named: boolean;
  /** From the end of the fault until a pilot runs and the daemon sees nothing wrong; NaN when that did not come. */
  readonly calmSeconds: number;
  /** From the end of a pilot after that to the next start of one; NaN when there was none. */
  readonly recoverySeconds: number;
  /** What should not be. */
  readonly violations: readonly string[];
}

/** What is to be provoked may take another turn on a busy machine: who cannot be frozen in time is stopped, and never thawed. */
const mostTries = 3;

/** Looks at the world after a case and says what should not be. An independent watcher can be one more of these. */
export type Judge = (stage: Stage) => Promise<readonly string[]> | readonly string[];

const judges: readonly Judge[] = [
  ({ lane }) => (lane.ended() === undefined ? [] : [`the daemon has ended: ${lane.ended() ?? ''}`]),
  ({ decoys }) => decoys.touched(),
  (stage) => {
    const { most } = running(stage);
    return most > quickConfig.max_docks ? [`${most} pilots ran at a time, ${quickConfig.max_docks} allowed`] : [];
  },
];

/** Breaks what the case says, mends it, and sees whether the daemon goes on. */
export async function runCase(stage: Stage, tried: FaultCase): Promise<CaseResult> {
  const { name, endpoint, fault } = tried;
  const { lane } = stage;
  const begin = lane.events.length;
  const { provoke, calm } = lives[endpoint.life];
  const strikes = arm(stage, endpoint, fault);
  const isStruck = () => strikes() > 0;
  let struck = false;
  for (let tries = 0; tries < mostTries && !struck; tries += 1) {
    await provoke(stage);
    struck = await until(isStruck, patienceMs);
  }
  // It lasts longer than anybody waits for an answer.
  await systemClock.sleep(1.5 * deadlineMs(endpoint) + 200);
  const isNamed = () => lane.events.slice(begin).some((event) => tellsOf(endpoint, event));
  // What is to be told is told while it lasts, however busy this machine is.
  if (!mayBeSilent(tried)) await until(isNamed);
  lane.proxy.heal();
  calm(stage);
  const named = isNamed();
  const recovery = await recover(stage);
  return {
    name,
    endpoint: endpoint.name,
    strikes: strikes(),
    named,
    calmSeconds: recovery.calmSeconds,
    recoverySeconds: recovery.seconds,
    violations: [
      ...(struck ? [] : ['the fault has not struck']),
      ...(named || mayBeSilent(tried) ? [] : ['the daemon has said nothing']),
      ...recovery.violations,
      ...(await judgeAll(stage)),
    ],
  };
}

export async function judgeAll(stage: Stage): Promise<readonly string[]> {
  const found: string[] = [];
  for (const judge of judges) found.push(...(await judge(stage)));
  return found;
}

/** Returns how many requests were struck so far. */
function arm({ lane }: Stage, { method, path, after }: Endpoint, fault: FaultCase['fault']): () => number {
  let rule: ArmedRule | undefined;
  const begin = () => {
    rule ??= lane.proxy.add({ method, path, ...fault });
  };
  if (after === undefined) begin();
  else {
    lane.proxy.add({
      ...{ ...after, forward: true },
      onPhase: (phase) => {
        if (phase === 'executed') begin();
      },
    });
  }
  return () => rule?.strikes ?? 0;
}

interface Recovery {
  readonly violations: readonly string[];
  readonly calmSeconds: number;
  readonly seconds: number;
}

/** Ends a pilot as soon as one runs and sees another start. */
export async function recover(stage: Stage): Promise<Recovery> {
  const healed = systemClock.now();
  const isCalmAgain = await until(() => isCalm(stage));
  if (!isCalmAgain) return { violations: ['no pilot runs after the fault'], calmSeconds: NaN, seconds: NaN };
  const calmSeconds = (systemClock.now().monoMs - healed.monoMs) / 1000;
  const endedMs = systemClock.now().wallMs;
  await killOne(stage);
  const recovered = await until(() => startAfter(stage, endedMs) !== undefined);
  return {
    violations: recovered ? [] : ['no pilot was started after the fault'],
    calmSeconds,
    seconds: ((startAfter(stage, endedMs) ?? NaN) - endedMs) / 1000,
  };
}

/** Without a registry every pull fails, now and then; that tells nothing of other faults. */
function tellsOf({ name }: Endpoint, event: DaemonEvent): boolean {
  if (event.type === 'action-ended') {
    const { action, result } = event.outcome;
    return result === 'failed' && (action.type === 'pull') === (name === 'pull');
  }
  if (event.type === 'limit-changed') return event.holds.some(({ gate }) => gate === 'image');
  return event.type === 'engine-lost' || event.type === 'events-lost';
}
