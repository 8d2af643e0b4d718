import { describe, expect, it } from 'vitest';
import { parseInfluxTarget } from '../../../src/report/influx-target.js';

describe('an InfluxDB target', () => {
  it('is an URL and a database', () => {
    expect(parseInfluxTarget('http://db.example.org:8086#metrics')).toEqual({
      label: 'http://db.example.org:8086#metrics',
      baseUrl: 'http://db.example.org:8086',
      writePath: '/write?db=metrics',
      mayCreate: true,
      database: 'metrics',
      authorization: undefined,
      secrets: [],
      verifyTls: true,
    });
  });

  it('may be below a path, and at an IPv6 address', () => {
    expect(parseInfluxTarget('https://db/influx/#m')?.baseUrl).toBe('https://db/influx');
    expect(parseInfluxTarget('http://[::1]:8086#m')?.baseUrl).toBe('http://[::1]:8086');
  });

  it('may be a bucket of InfluxDB 2, or a database of InfluxDB 3, with a token', () => {
    expect(parseInfluxTarget('https://:t0k%2Fen@db:8086?org=my%20lab#pilots')).toEqual({
      label: 'https://db:8086#pilots (org my lab)',
      baseUrl: 'https://db:8086',
      writePath: '/api/v2/write?org=my%20lab&bucket=pilots&precision=ns',
      mayCreate: false,
      database: 'pilots',
      authorization: 'Token t0k/en',
      secrets: ['t0k/en'],
      verifyTls: true,
    });
    expect(parseInfluxTarget('http://t0ken@db:8181/x/?version=3#a&b')).toMatchObject({
      ...{ baseUrl: 'http://db:8181/x', writePath: '/api/v3/write_lp?db=a%26b&precision=nanosecond' },
      ...{ mayCreate: false, authorization: 'Bearer t0ken' },
    });
    expect(parseInfluxTarget('http://db?org=x#b')?.authorization).toBeUndefined();
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
    const { authorization = '', secrets, ...rest } = target ?? {};
    expect(secrets).toContain('p%3Aw%');
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('us@er:p%3Aw%');
    expect(JSON.stringify(rest)).not.toMatch(/us%40er|us@er|p%3Aw/);
  });

  it('may have user and password in the query', () => {
    const { authorization = '' } = parseInfluxTarget('http://db:8086?u=us%40er&p=p%3Aw#m') ?? {};
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('us@er:p:w');
  });

  it.each([
    '',
    'http://db:8086',
    'http://db:8086#',
    'ftp://db#m',
    'db:8086#m',
    'http://#m',
    'http://a b#m',
    'http://h#\uD800',
  ])('is not %j', (text) => {
    expect(parseInfluxTarget(text)).toBeUndefined();
  });
});
