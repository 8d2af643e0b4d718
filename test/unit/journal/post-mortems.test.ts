import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPostMortems, readPostMortems } from '../../../src/journal/post-mortems.js';
import type { DaemonEvent } from '../../../src/report/event.js';
import { aPilot, aSpec } from '../../support/builders.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

function died(name: string, log = ''): DaemonEvent {
  const rest = { ended: undefined, usage: undefined, said: undefined };
  return { type: 'post-mortem', postMortem: { pilot: aPilot({ name }), cause: 'failed', log, ...rest } };
}

async function keep(events: readonly DaemonEvent[], bytes = 1e6): Promise<string> {
  const folder = join(tempDirectory(), 'post-mortems');
  const limits = () => ({ post_mortem_size: bytes, journal_age: 1000 });
  const kept = createPostMortems({
    folder,
    clock: createFakeClock(),
    limits,
    onTrouble: (message) => expect.fail(message),
  });
  for (const event of events) kept.sink(event);
  await kept.close(10_000);
  return folder;
}

it('keeps what is left of pilots, and nothing else of what happens', async () => {
  const { entries } = await readPostMortems(await keep([died('a', 'x\n'), { type: 'events-followed' }, died('b')]));
  expect(entries).toMatchObject([
    { pilot: { name: 'a' }, cause: 'failed', log: 'x\n' },
    { pilot: { name: 'b' }, log: '' },
  ]);
});

it('keeps what the engine said of a pilot that it could not start, without its environment', async () => {
  const action = { type: 'spawn', reason: 'growth', spec: aSpec({ name: 'c', env: { TOKEN: 'hunter2' } }) } as const;
  const error = { kind: 'refused', message: 'no such device' } as const;
  const outcome = { action, result: 'failed', error, ended: undefined } as const;
  const folder = await keep([
    { type: 'action-ended', atWallMs: 1, outcome },
    { type: 'action-ended', atWallMs: 1, outcome: { ...outcome, result: 'done', error: undefined } },
    {
      type: 'action-ended',
      atWallMs: 1,
      outcome: { ...outcome, action: { type: 'pull', reference: 'x', reason: 'missing' } },
    },
  ]);
  const { entries } = await readPostMortems(folder);
  expect(entries).toMatchObject([{ pilot: { name: 'c' }, cause: 'not-started', said: 'no such device' }]);
  expect(JSON.stringify(entries)).not.toContain('hunter2');
});

it('keeps none where there is no room for them', async () => {
  expect((await readPostMortems(await keep([died('a')], 0))).entries).toEqual([]);
});

it('keeps the newest where there is room for some', async () => {
  const many = Array.from({ length: 200 }, (_, index) => died(String(index), 'x'.repeat(1000)));
  const { entries } = await readPostMortems(await keep(many, 2 ** 17));
  expect(entries.at(-1)?.pilot.name).toBe('199');
  expect(entries.length).toBeGreaterThan(80);
  expect(entries.length).toBeLessThan(130);
});

it('skips what is damaged', async () => {
  const folder = await keep([died('a')]);
  const [part = ''] = readdirSync(folder);
  appendFileSync(join(folder, part), '{"at":1,"pilot":{},"cause":"failed","log":""}\n[]\n{"at":1,"pilot":{"na');
  const { entries, damaged } = await readPostMortems(folder);
  expect([entries.length, damaged]).toEqual([1, 3]);
});
