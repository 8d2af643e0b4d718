import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createInfluxSink } from '../../src/report/influx-sink.js';
import type { Point } from '../../src/report/line-protocol.js';
import { createFakeClock } from '../support/fake-clock.js';
import { startInfluxd, type Influxd } from '../support/influxd.js';

const atMs = Date.UTC(2026, 0, 1);
/** What is said when it ends. */
const lostOne = expect.stringContaining('is not written to any more; 1 points were lost') as string;
const soonMs = 20_000;

function aPoint(value: number, overrides: Partial<Point> = {}): Point {
  return { series: 'measurement', tags: { hostname: 'host1' }, fields: { cpu_eff: value }, atMs, ...overrides };
}

/** Sends points to all targets at once; what the sink had to say. */
async function send(targets: readonly string[], points: readonly Point[]): Promise<readonly string[]> {
  const troubles: string[] = [];
  const sink = createInfluxSink({ targets, clock: systemClock, onTrouble: (message) => troubles.push(message) });
  sink.write(points);
  await sink.close(soonMs);
  return troubles;
}

function values(rows: readonly (readonly unknown[])[]): unknown[] {
  return rows.map((row) => row[1]);
}

describe('an InfluxDB server without users', () => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(() => influxd.stop());

  it('gets all points in one request, into a database that is made for them', async () => {
    const troubles = await send([`http://${influxd.address}#fresh`], [aPoint(12), aPoint(13.5)]);
    expect(troubles).toEqual([]);
    expect(values(await influxd.query('SELECT cpu_eff FROM "measurement"', 'fresh'))).toEqual([12, 13.5]);
  });

  it('gives back what it was given, awkward names included', async () => {
    const tags = { 'k ,=': 'v ,="\\x', plain: 'ümlaut' };
    const fields = { text: 'say "\\" ,=\nand more', whole: 7, flag: true };
    await send([`http://${influxd.address}/#odd "name'`], [aPoint(0, { series: 'a, b=c', tags, fields })]);
    const [row] = await influxd.query('SELECT "text", whole, flag, "k ,=", plain FROM "a, b=c"', 'odd "name\'');
    expect(row).toEqual([atMs * 1e6, fields.text, fields.whole, fields.flag, tags['k ,='], tags.plain]);
  });

  it('keeps apart what happened in the same millisecond', async () => {
    const tags = { hostname: 'host1', started: 'True', killed: 'False' };
    const ended = [1, 2, 3].map((uptime) => aPoint(0, { series: 'container', tags, fields: { uptime } }));
    await send([`http://${influxd.address}#containers`], ended);
    expect(values(await influxd.query('SELECT uptime FROM container', 'containers'))).toEqual([1, 2, 3]);
  });

  it('takes the good lines where it refuses one, and says so once', async () => {
    const target = `http://${influxd.address}#typed`;
    await send([target], [aPoint(1, { fields: { f: 1 } })]);
    const troubles = await send([target], [aPoint(2, { fields: { f: 'text' } }), aPoint(3, { fields: { f: 3 } })]);
    expect(values(await influxd.query('SELECT f FROM "measurement"', 'typed'))).toEqual([1, 3]);
    expect(troubles).toEqual([expect.stringMatching(/refuses points: HTTP 400 .*field type conflict/), lostOne]);
  });

  it('gets its points although the target beside it is dead', async () => {
    const dead = await startInfluxd();
    await dead.stop();
    const targets = [`http://${dead.address}#two`, `http://${influxd.address}#two`];
    const troubles = await send(targets, [aPoint(5)]);
    expect(values(await influxd.query('SELECT cpu_eff FROM "measurement"', 'two'))).toEqual([5]);
    expect(troubles).toEqual([expect.stringMatching(/^InfluxDB .*#two cannot be written to: .*ECONNREFUSED/), lostOne]);
  });

  it('gets its points although the target beside it takes connections and never answers', async () => {
    const sockets = new Set<net.Socket>();
    const hanging = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
    hanging.listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as net.AddressInfo;
    const clock = createFakeClock();
    const troubles: string[] = [];
    const targets = [`http://127.0.0.1:${port}#three`, `http://${influxd.address}#three`];
    const sink = createInfluxSink({ targets, clock, onTrouble: (message) => troubles.push(message) });
    try {
      sink.write([aPoint(6)]);
      await expect
        .poll(() => influxd.query('SELECT cpu_eff FROM "measurement"', 'three').then(values, () => []), {
          timeout: soonMs,
        })
        .toEqual([6]);
      await expect.poll(() => sockets.size, { timeout: soonMs }).toBe(1);
      await clock.advance(5000);
      await expect
        .poll(() => troubles, { timeout: soonMs })
        .toEqual([expect.stringContaining('no answer within 5000 ms')]);
      const closing = sink.close(3000);
      await clock.advance(3000);
      await closing;
      await expect.poll(() => clock.sleepers, { timeout: soonMs }).toBe(0);
    } finally {
      for (const socket of sockets) socket.destroy();
      hanging.close();
    }
  });

  it('counts what it refused, and says when it takes points again', async () => {
    const troubles: string[] = [];
    const target = `http://${influxd.address}#again`;
    const sink = createInfluxSink({
      targets: [target],
      clock: systemClock,
      onTrouble: (message) => troubles.push(message),
    });
    const write = async (f: number | string, wanted: number) => {
      sink.write([aPoint(0, { fields: { f } })]);
      await expect.poll(() => troubles, { timeout: soonMs }).toHaveLength(wanted);
    };
    await send([target], [aPoint(0, { fields: { f: 1 } })]);
    await write('text', 1);
    await write(2, 2);
    await sink.close(soonMs);
    expect(troubles[1]).toBe(`InfluxDB http://${influxd.address}#again takes points again; 1 were lost`);
  });
});

describe('an InfluxDB server that asks for a name, over http', () => {
  const admin = { user: 'root', password: 'r00t' };
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await startInfluxd({ admin });
    await influxd.query('CREATE DATABASE metrics');
    await influxd.query("CREATE USER pilot WITH PASSWORD 'p@ss:w/rd%'");
    await influxd.query('GRANT WRITE ON metrics TO pilot');
  });
  afterAll(() => influxd.stop());
  const login = `pilot:${encodeURIComponent('p@ss:w/rd%')}`;

  it('is written to by a user who may do nothing but write', async () => {
    expect(await send([`http://${login}@${influxd.address}#metrics`], [aPoint(7)])).toEqual([]);
    expect(values(await influxd.query('SELECT cpu_eff FROM "measurement"', 'metrics'))).toEqual([7]);
  });

  it('is not asked for databases that this user may not make, and no password is told', async () => {
    const troubles = await send(
      [`http://${login}@${influxd.address}#other`, `http://x:geheim@${influxd.address}#metrics`],
      [aPoint(8)],
    );
    expect(troubles).toHaveLength(4);
    for (const message of troubles) {
      expect(message).toContain(influxd.address);
      expect(message).not.toMatch(/geheim|p@ss|p%40ss|pilot:|Basic/);
    }
    expect(values(await influxd.query('SHOW DATABASES').then((rows) => rows.map((row) => [0, row[0]])))).not.toContain(
      'other',
    );
  });
});

describe('an InfluxDB server with a certificate of its own', () => {
  const admin = { user: 'root', password: 'sehr-geheim' };
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await startInfluxd({ tls: true, admin });
  });
  afterAll(() => influxd.stop());

  it('is written to with insecure_https, and gets the missing database from a user who may make it', async () => {
    const target = `insecure_https://${admin.user}:${admin.password}@${influxd.address}#secure`;
    expect(await send([target], [aPoint(9)])).toEqual([]);
    expect(values(await influxd.query('SELECT cpu_eff FROM "measurement"', 'secure'))).toEqual([9]);
  });

  it('is not trusted with https', async () => {
    const target = `https://${admin.user}:${admin.password}@${influxd.address}#untrusted`;
    const troubles = await send([target], [aPoint(10)]);
    expect(troubles).toEqual([expect.stringMatching(/cannot be written to: self-signed certificate/), lostOne]);
    expect(await influxd.query('SHOW DATABASES')).not.toContainEqual(['untrusted']);
  });
});
