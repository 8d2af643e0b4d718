import type { ContainerSummary, Labels } from '../../src/engine/pilot-container.js';
import type { PilotEnd, PilotSpec, PilotState } from '../../src/model.js';
import type { Behaviour } from './fake-engine.js';

/** One container of the fake engine. Tests may set `state` or `oomKilled` at will. */
export interface FakeContainer {
  readonly id: string;
  name: string;
  readonly labels: Labels;
  /** Those that its image carries; they are among its own. */
  readonly imageLabels: Labels;
  readonly createdWallMs: number;
  state: PilotState;
  readonly behaviour: Behaviour;
  /** undefined: not a pilot. */
  readonly spec: PilotSpec | undefined;
  /** undefined: made from an image that the fake engine does not know. */
  readonly imageId: string | undefined;
  readonly cgroupParent: string | undefined;
  exitCode: number | undefined;
  oomKilled: boolean;
  startedMonoMs: number | undefined;
  startedWallMs: number | undefined;
  endsMonoMs: number | undefined;
  finishedWallMs: number | undefined;
  /** How long it had run when it ended. */
  ranMs: number;
}

export function hasExited(container: FakeContainer): boolean {
  return container.state === 'exited' || container.state === 'dead';
}

/** The container as the list of a real engine would show it. */
export function describeFake(container: FakeContainer): ContainerSummary {
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: container.spec?.image ?? 'foreign',
    ImageID: '',
    Created: Math.floor(container.createdWallMs / 1000),
    State: container.state,
    Status: hasExited(container) ? `Exited (${container.exitCode ?? 0}) 1 second ago` : 'Up 1 second',
    Labels: container.labels,
  };
}

/** How it ended; undefined: it runs, or it is gone. */
export function toPilotEnd(container: FakeContainer | undefined): PilotEnd | undefined {
  if (container === undefined || !hasExited(container)) return undefined;
  const { exitCode = 0, oomKilled, startedWallMs, finishedWallMs } = container;
  return { exitCode, oomKilled, startedWallMs, finishedWallMs };
}
