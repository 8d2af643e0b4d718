import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import type { Status } from '../../src/report/status.js';
import { planctonSite, type PlanctonSite } from '../support/plancton-process.js';

const quickly = { max_docks: 3, fizzle_seconds: 10, backoff_seconds: 2, backoff_max: 8 } as const;

function aSite(changes: Readonly<Record<string, unknown>>): PlanctonSite {
  const site = planctonSite({ dockerHost: inject('dockerHost') });
  site.configure({ ...quickly, ...changes });
  return site;
}

/** Waits until a start is held back for a reason that matches. */
function held(site: PlanctonSite, reason: RegExp): Promise<Status> {
  return site.until(`starts are held: ${reason.source}`, ({ holds }) =>
    holds.some(({ gate, text }) => gate === 'back-off' && reason.test(text)),
  );
}

describe('pilots that do not live', () => {
  it('are tried one at a time where there is no work, and fill the host when there is some', async () => {
    const site = aSite({});
    const queue = join(site.base, 'queue');
    mkdirSync(queue);
    const fetch = 'if [ -e /queue/work ]; then exec sleep 600; fi';
    site.configure({ ...quickly, binds: [`${queue}:/queue:ro`], docker_cmd: ['/bin/sh', '-c', fetch] });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });

    const before = await held(site, /exit code 0: no work for them; next try in/);
    expect(before.totals.spawned).toBeLessThanOrEqual(6);
    const probed = await site.until('three more were tried', ({ totals }) => {
      return totals.spawned >= before.totals.spawned + 3;
    });
    // 2, 4 and 8 s at least: pilots that were replaced at once would have been dozens by now.
    expect(Date.parse(probed.at) - Date.parse(before.at)).toBeGreaterThan(10_000);
    expect((await site.ctl('status')).stdout).toContain('no work for them');

    writeFileSync(join(queue, 'work'), '');
    await site.untilRunning(3);
  });

  it('are told from a command that no image has', async () => {
    const site = aSite({ docker_cmd: '/bin/nosuch' });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });

    await held(site, /exit code 127: the image has no such command/);
  });

  it('are told from a payload that fails', async () => {
    const site = aSite({ docker_cmd: ['/bin/sh', '-c', 'exit 3'] });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });

    await held(site, /exit code 3: broken image or command/);
  });

  it('are told from one that gets too little memory', async () => {
    const site = aSite({ docker_cmd: ['tail', '/dev/zero'], max_dock_mem: '8Mi' });
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });

    await held(site, /killed at once for want of memory/);
  });
});
