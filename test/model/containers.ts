import { pilotLabels } from '../../src/engine/pilot-container.js';
import type { PilotState } from '../../src/model.js';
import type { FakeContainer } from '../support/fake-container.js';

/** Whose pilots the daemons of the model look after. */
export const INSTANCE = 'model';

const ALIVE: readonly PilotState[] = ['running', 'paused', 'restarting'];

/** One that a daemon of this instance has made, whoever renamed it since. */
export function isOwn({ labels, spec }: FakeContainer): boolean {
  return spec !== undefined && labels[pilotLabels.instance] === INSTANCE;
}

/** The name it was made with. */
export function firstName({ labels, name }: FakeContainer): string {
  return labels[pilotLabels.name] ?? name;
}

export function isAlive({ state }: FakeContainer): boolean {
  return ALIVE.includes(state);
}

/** When a pilot was asked for; ms on the boot clock. */
export function bornBootMs({ labels }: FakeContainer): number {
  return Number(labels[pilotLabels.spawnedBootMs]);
}
