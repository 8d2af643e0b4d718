import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startInfluxd, type Influxd } from '../support/influxd.js';
import { eventually, planctonSite } from '../support/plancton-process.js';

// What the original's own acceptance test did: the same steps, files and phrases, for root and for a user.

const dockerHost = inject('dockerHost');
const database = 'plancton-monitor';

/** Whether a process with this pid is alive. */
function isAlive(pid: number): boolean {
  process.kill(pid, 0);
  return true;
}

describe.each(['root', 'nobody'] as const)('the acceptance test of the original, as %s', (mode) => {
  it('starts, drains, resumes, force-stops, drains and stops, and stops', async () => {
    const site = planctonSite({ dockerHost, mode });
    const drainFile = join(site.runDir, 'drain');
    const stopFile = join(site.runDir, 'stop');
    const succeed = async (verb: string) => {
      expect(await site.ctl(verb), verb).toMatchObject({ exitCode: 0 });
    };
    const logged = (phrase: string) => site.log().toLowerCase().split(phrase).length - 1;
    site.configure({ docker_cmd: '/bin/sleep 5' });

    await succeed('start');
    expect(isAlive(site.pid())).toBe(true);
    await site.untilRunning(2);

    await succeed('drain');
    expect(existsSync(drainFile)).toBe(true);
    await eventually('the drain is in the log', () => logged('no new containers will be started') === 1);

    await succeed('resume');
    expect(existsSync(drainFile)).toBe(false);
    await site.untilRunning(2);

    await succeed('force-stop');
    expect(logged('not starting containers, killing existing')).toBe(1);
    expect(await site.pilotIds()).toEqual([]);

    await succeed('start');
    expect(isAlive(site.pid())).toBe(true);
    await site.untilRunning(2);
    await succeed('drain-stop');
    expect(existsSync(drainFile)).toBe(true);
    await eventually('the daemon has ended', () => !existsSync(site.pidFile) && !existsSync(stopFile));
    expect(logged('no new containers will be started')).toBe(2);
    expect(logged('drain-stop requested')).toBe(1);
    expect(existsSync(drainFile)).toBe(true);

    await succeed('stop');
    expect(existsSync(site.pidFile)).toBe(false);
  });

  describe('with four InfluxDB servers', () => {
    const admin = { user: 'admin', password: 'pwd' };
    let open: Influxd[] = [];
    let closed: Influxd[] = [];

    beforeAll(async () => {
      open = await Promise.all([startInfluxd(), startInfluxd({ tls: true })]);
      closed = await Promise.all([startInfluxd({ admin }), startInfluxd({ tls: true, admin })]);
      for (const server of closed) {
        await server.query(`CREATE USER unpippo WITH PASSWORD 'unpassword'`);
        await server.query(`CREATE DATABASE "${database}"`);
        await server.query(`GRANT WRITE ON "${database}" TO unpippo`);
      }
    });
    afterAll(() => Promise.all([...open, ...closed].map((server) => server.stop())));

    it('reports to each of them, with and without TLS, as administrator and as a user who may only write', async () => {
      const site = planctonSite({ dockerHost, mode });
      const [http, https] = open.map(({ address }) => `${address}#${database}`);
      const [httpUser, httpsUser] = closed.map(({ address }) => `unpippo:unpassword@${address}#${database}`);
      const targets = [
        `http://${http}`,
        `http://${httpUser}`,
        `insecure_https://${https}`,
        `insecure_https://${httpsUser}`,
      ];
      site.configure({ influxdb_url: targets });
      rmSync(join(site.runDir, 'drain'), { force: true });
      expect(await site.ctl(`--confdir=${site.confDir}`, 'start')).toMatchObject({ exitCode: 0 });
      for (const server of [...open, ...closed]) {
        await eventually('measurements arrive', async () => {
          const [row] = await server.query('SELECT COUNT(*) FROM "measurement"', database).catch(() => []);
          return Number(row?.[1] ?? 0) > 0;
        });
        await expect(server.query('SELECT COUNT(*) FROM "measurement"', `${database}-nope`)).rejects.toThrow(
          'not found',
        );
      }
      expect(site.log()).not.toContain('unpassword');
    });
  });
});
