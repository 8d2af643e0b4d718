import { expect, inject, it, onTestFinished } from 'vitest';
import { dockerCli } from '../support/docker-cli.js';
import { planctonSite } from '../support/plancton-process.js';

const docker = dockerCli(inject('dockerHost'));

/** Someone whose work does not fit into memory: reads the same file again and again, and never finds it there. */
async function startThrasher(): Promise<{ stop(): Promise<void> }> {
  const read = 'dd if=/dev/zero of=/file bs=1M seek=95 count=1; while :; do cat /file >/dev/null; done';
  const id = await docker('run', '--detach', '--memory=16m', '--network=none', 'busybox', '/bin/sh', '-c', read);
  const stop = async () => {
    await docker('rm', '--force', id).catch(() => undefined);
  };
  onTestFinished(stop);
  return { stop };
}

it('gives memory back where tasks wait for it, pilot by pilot, and takes it again when there is enough', async () => {
  const site = planctonSite({ dockerHost: inject('dockerHost') });
  const settings = { max_docks: 2, evict: 'always', grace_kill: 3, grace_spawn: 1 };
  site.configure(settings);
  expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
  await site.untilRunning(2);

  const thrasher = await startThrasher();
  // On this host as it is now, less than this is to be had.
  site.configure({ ...settings, min_free_mem: '1T' });
  const empty = await site.until('all were evicted', ({ totals }) => totals.evicted === 2);
  expect(site.log()).toMatch(
    /tasks wait for memory in \d+(\.\d+)? % of the time, .* less than 1000\.0 GB: the youngest/,
  );
  expect(empty.totals.spawned).toBe(2);
  await site.until('none is started', ({ holds }) => holds.some(({ gate }) => gate === 'memory'));

  await thrasher.stop();
  site.configure(settings);
  await site.untilRunning(2);
});
