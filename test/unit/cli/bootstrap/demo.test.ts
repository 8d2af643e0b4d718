import { expect, test } from 'vitest';
import { createDemoView, describeChanges, drawTable } from '../../../../src/cli/bootstrap/demo-view.js';
import { librariesOf } from '../../../../src/cli/bootstrap/demo-image.js';
import { progressOf, waitForPilots } from '../../../../src/cli/bootstrap/wait-for-pilots.js';
import type { PilotStatus, Status } from '../../../../src/report/status.js';
import { aStatus } from '../../../support/a-status.js';
import { createFakeClock } from '../../../support/fake-clock.js';

function pilot(name: string, state: PilotStatus['state'] = 'running'): PilotStatus {
  return { name, id: 'abc', state, image: 'busybox', revision: 'r', cpus: 1, ageSeconds: 65 };
}

function status(pilots: readonly PilotStatus[], more: Partial<Status> = {}): Status {
  return aStatus({
    hostname: 'node1',
    pilots,
    image: { wanted: 'busybox', id: 'sha256:1', createdAt: undefined, pulling: undefined },
    totals: { spawned: 3, ended: 2, evicted: 0, failed: 0 },
    ...more,
  });
}

test('the table names every pilot, its state and its age', () => {
  const table = drawTable(status([pilot('plancton-worker-aaaaaa'), pilot('plancton-worker-bbbbbb', 'exited')]));
  expect(table).toMatch(/plancton-worker-aaaaaa +running +1 min 5 s/);
  expect(table).toMatch(/plancton-worker-bbbbbb +exited/);
  expect(table).toContain('3 started, 2 ended');
});

test('nothing in the table can steer the terminal', () => {
  expect(drawTable(status([pilot('evil\u001B[2J')]))).not.toContain('\u001B');
});

test('a pilot that stops running has ended, whether or not it is still listed', () => {
  const before = [pilot('a'), pilot('b')];
  expect(describeChanges(before, [pilot('a', 'exited'), pilot('c')])).toEqual(['started c', 'ended   a', 'ended   b']);
  expect(describeChanges(before, before)).toEqual([]);
});

test('away from a terminal only changes are told', () => {
  const said: string[] = [];
  const view = createDemoView({ out: (text) => said.push(text), stdoutIsTerminal: false });
  view.show(status([pilot('a')]));
  view.show(status([pilot('a')]));
  view.show(status([]));
  expect(said.slice(1)).toEqual(['started a (1 run)', 'ended   a (0 run)']);
});

test.each([
  [undefined, 'first look'],
  [status([], { trouble: 'no engine' }), 'no engine'],
  [status([], { image: { wanted: 'x', id: undefined, createdAt: undefined, pulling: 'x' } }), 'fetching the image x'],
  [status([], { holds: [{ gate: 'foreign-cpu', text: 'others use it all' }] }), 'others use it all'],
  [status([pilot('a', 'created')]), 'waiting for the first pilot'],
])('a person who waits is told why (%#)', (now, text) => {
  expect(progressOf(now)).toContain(text);
});

test('waiting ends with the first running pilot', async () => {
  const looks = [undefined, status([]), status([pilot('a')])];
  const clock = createFakeClock();
  const said: string[] = [];
  const waiting = waitForPilots(
    { clock, out: () => undefined, err: (text) => said.push(text), readStatus: () => looks.shift() },
    '/run',
  );
  await clock.advance(1000);
  expect(await waiting).toBe(0);
  expect(said).toHaveLength(2);
});

test('waiting does not last for ever', async () => {
  const clock = createFakeClock();
  const context = { clock, out: () => undefined, err: () => undefined, readStatus: () => status([]) };
  const waiting = waitForPilots(context, '/run');
  await clock.advance(121_000);
  expect(await waiting).toBe(75);
});

test('the libraries of a program are found in what ldd prints, its kernel page and scripts are not', () => {
  const dash = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)\n`;
  expect(librariesOf(dash)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  expect(librariesOf('\tnot a dynamic executable\n')).toEqual([]);
});
