import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Status } from '../../src/report/status.js';
import { importBusybox } from '../support/busybox-image.js';
import { planctonSite } from '../support/plancton-process.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';

/** A network of eight addresses: itself, the engine's own, broadcast, and these. */
const addresses = 5;

let engine: PrivateEngine;
beforeAll(async () => {
  engine = await startPrivateEngine({ args: ['--bip=192.168.77.1/29'] });
  await importBusybox(engine);
});
afterAll(() => engine.stop());

it('says that the network of the engine has no address left, does not storm, and goes on when there is one', async () => {
  const site = planctonSite({ dockerHost: engine.host });
  const owner = await engine.docker('run', '--detach', 'busybox', '/bin/sleep', '600');
  site.configure({
    max_docks: addresses,
    docks_per_loop: addresses,
    cpus_per_dock: 0.1,
    main_sleep: 2,
    docker_cmd: '/bin/sleep 600',
  });
  expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
  const startsOf = ({ faults }: Status) => faults.filter(({ code }) => code === 'engine-starts');
  const short = await site.until('one cannot be started', (status) => startsOf(status).length > 0);
  expect(startsOf(short)).toMatchObject([{ what: expect.stringContaining('no address left') as string }]);
  expect(short.pilots.filter(({ state }) => state === 'running')).toHaveLength(addresses - 1);
  expect((await site.ctl('status')).stdout).toContain('docker network inspect bridge');

  await engine.docker('rm', '--force', owner);
  await site.untilRunning(addresses);
  await site.until('nothing is wrong any more', (status) => startsOf(status).length === 0);
  // Whoever cannot be started is not left lying around.
  expect(await engine.docker('ps', '--all', '--quiet', '--filter', 'status=created')).toBe('');
});
