import { describe, expect, it } from 'vitest';
import { parseInfluxTarget } from '../../../src/report/influx-target.js';

describe('an InfluxDB target', () => {
  it('is an URL and a database', () => {
    expect(parseInfluxTarget('http://db.example.org:8086#metrics')).toEqual({
      label: 'http://db.example.org:8086#metrics',
      baseUrl: 'http://db.example.org:8086',
      database: 'metrics',
      authorization: undefined,
      verifyTls: true,
    });
  });

  it('may be below a path, and at an IPv6 address', () => {
    expect(parseInfluxTarget('https://db/influx/#m')?.baseUrl).toBe('https://db/influx');
    expect(parseInfluxTarget('http://[::1]:8086#m')?.baseUrl).toBe('http://[::1]:8086');
  });

  it('may leave out the look at the certificate', () => {
    expect(parseInfluxTarget('insecure_https://db:8086#m')).toMatchObject({
      baseUrl: 'https://db:8086',
      verifyTls: false,
    });
    expect(parseInfluxTarget('https://db:8086#m')?.verifyTls).toBe(true);
  });

  it('keeps credentials in the header and nowhere else', () => {
    const target = parseInfluxTarget('https://us%40er:p%3Aw%@db:8086#m');
    const { authorization = '', ...rest } = target ?? {};
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('us@er:p%3Aw%');
    expect(JSON.stringify(rest)).not.toMatch(/us%40er|us@er|p%3Aw/);
  });

  it.each(['', 'http://db:8086', 'http://db:8086#', 'ftp://db#m', 'db:8086#m', 'http://#m', 'http://a b#m'])(
    'is not %j',
    (text) => {
      expect(parseInfluxTarget(text)).toBeUndefined();
    },
  );
});
