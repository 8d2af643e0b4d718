import { expect, it } from 'vitest';
import { Newcomers } from '../../../src/daemon/newcomers.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot } from '../../support/builders.js';

function looks(...lists: readonly (readonly Parameters<typeof aPilot>[0][])[]) {
  const events: DaemonEvent[] = [];
  const newcomers = new Newcomers((event) => events.push(event));
  for (const list of lists) newcomers.note(list.map((pilot) => aPilot(pilot)));
  return events.flatMap((event) => (event.type === 'pilot-seen' ? [event.pilot] : []));
}

it('tells of each pilot once, when it runs', () => {
  const a = { id: 'a', address: '172.17.0.2', imageId: 'sha256:1' };
  const seen = looks(
    [{ id: 'b', state: 'created' }, a],
    [{ id: 'b' }, a],
    [{ id: 'b', state: 'paused' }],
    [{ id: 'b' }],
  );
  expect(seen).toMatchObject([{ id: 'a', address: '172.17.0.2', imageId: 'sha256:1' }, { id: 'b' }]);
});

it('says nothing of what else there is of a pilot', () => {
  expect(Object.keys(looks([{}])[0] ?? {}).sort()).toEqual(
    ['address', 'flavour', 'id', 'image', 'imageId', 'name', 'revision'].sort(),
  );
});
