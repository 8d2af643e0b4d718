import { describe, expect, it } from 'vitest';
import { formatAge } from '../../../src/report/status-words.js';
import { formatStatus, statusLine } from '../../../src/cli/status-text.js';
import type { Fault } from '../../../src/report/faults.js';
import { aStatus } from '../../support/a-status.js';

const now = Date.parse('2026-01-01T02:00:12.000Z');

const aFault: Fault = {
  code: 'engine-effects',
  subject: undefined,
  since: '2026-01-01T01:55:00.000Z',
  what: 'the engine does nothing',
  said: '3 times',
  doing: 'waits',
  cure: 'restart it',
};

describe('formatAge', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3700, '1 h 1 min'],
    [3605, '1 h'],
    [200_000, '2 d 7 h'],
  ])('says %d seconds as "%s"', (seconds, text) => {
    expect(formatAge(seconds)).toBe(text);
  });
});

describe('formatStatus', () => {
  it('answers the questions of an administrator at a glance', () => {
    expect(formatStatus(aStatus(), now)).toBe(
      [
        'plancton 1.2.3 is running on wn042 (pid 4711, up 2 h)',
        '  health      ok',
        '  mode        active',
        '  pilots      1 running, of 4 that fit (max_docks 6, others used up to 3.50 of 8 CPUs)',
        '  image       busybox:latest (0123456789ab, made 1 d ago)',
        '  config      /etc/plancton at 3f2a1b0c9d8e7f6a',
        '  engine      unix:///var/run/docker.sock (20.10.24, API 1.41)',
        '  yielding    all pilots in one cgroup of the lowest weight',
        '  reports to  journal',
        '  so far      10 started, 8 ended, 1 evicted, 0 failed',
        '  last cycle  number 240, 12 s ago',
        '  plancton-worker-aaaaaa     0123456789ab running    1 h 1 min    1     busybox:latest',
      ].join('\n'),
    );
  });

  it('tells what limits the number of pilots, and which configuration was refused and why', () => {
    const text = formatStatus(
      aStatus({
        holds: [{ gate: 'cap', text: '6 of 6' }],
        config: {
          source: '/etc/plancton',
          revision: 'aaaa',
          probation: '1 of 5 pilots that prove it have worked',
          signature: { by: 'ann@site.org (SHA256:abc)' },
          refused: { revision: 'bbbb', problems: ['config.yaml:3:1: max_ttl: no', 'config.yaml:4:1: binds: no'] },
          unreachable: 'the server is away',
        },
      }),
      now,
    );
    expect(text).toContain('limited by  6 of 6');
    expect(text).toMatch(/refused {5}bbbb\n {14}config.yaml:3:1: max_ttl: no\n {14}config.yaml:4:1: binds: no/);
    expect(text).toContain('probation   1 of 5 pilots that prove it have worked');
    expect(text).toContain('source away the server is away');
    expect(text).toContain('signed by   ann@site.org (SHA256:abc)');
  });

  it('says so where the configuration is not signed by anybody who should, and where nobody asked it says nothing', () => {
    const config = { ...aStatus().config, signature: { problem: 'it is not signed; sign the commit' } };
    expect(formatStatus(aStatus({ config }), now)).toContain(
      'signed by   nobody this host knows: it is not signed; sign',
    );
    expect(formatStatus(aStatus(), now)).not.toContain('signed by');
  });

  it('tells of each fault what it is, since when, what is done about it and what the reader can do', () => {
    const text = formatStatus(aStatus({ faults: [aFault] }), now);
    expect(text).toContain(
      [
        '  health      ok',
        '  fault       the engine does nothing (for 5 min 12 s)',
        '              3 times',
        '              Plancton: waits',
        '              you: restart it',
        '  mode        active',
      ].join('\n'),
    );
    const short = formatStatus(aStatus({ faults: [{ ...aFault, said: undefined }] }), now);
    expect(short).toMatch(/12 s\)\n +Plancton: waits/);
  });

  it('says what is not known instead of a number', () => {
    const text = formatStatus(
      aStatus({
        health: 'waiting',
        trouble: 'the engine does not answer',
        capacity: undefined,
        image: { wanted: 'x', id: undefined, createdAt: undefined, pulling: 'x' },
        engine: { host: 'h', version: undefined, apiVersion: undefined, failure: 'unreachable' },
      }),
      now,
    );
    expect(text).toContain('waiting: the engine does not answer');
    expect(text).toContain('pilots      unknown');
    expect(text).toContain('x (not looked up yet, pulling x)');
    expect(text).toContain('h (not reached)');
    const missing = formatStatus(
      aStatus({ image: { wanted: 'x', id: null, createdAt: undefined, pulling: undefined } }),
      now,
    );
    expect(missing).toContain('x (not on this host)');
    expect(formatStatus(aStatus({ mode: 'unknown' }), now)).toMatch(/mode +not known \(.*may hold a drain/);
  });

  it('tells where what happens is kept, and what is wrong there', () => {
    const sinks = [
      { name: 'journal', trouble: undefined },
      { name: 'InfluxDB db', trouble: 'HTTP 500', points: { written: 1, waiting: 20, lost: 3 } },
    ];
    expect(formatStatus(aStatus({ sinks }), now)).toMatch(
      /reports to +journal, InfluxDB db \(in trouble: HTTP 500; 20 points wait, 3 were lost\)/,
    );
  });

  it('lets no control character of a configuration or an engine reach the terminal', () => {
    const text = formatStatus(aStatus({ trouble: 'bad \u001b[31m', hostname: 'h\u009b' }), now);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('statusLine', () => {
  it('is one line with pilots, mode and trouble', () => {
    expect(statusLine(aStatus())).toBe('1/4 pilots, active');
    expect(statusLine(aStatus({ faults: [aFault] }))).toBe('1/4 pilots, active, the engine does nothing');
    expect(statusLine(aStatus({ health: 'waiting', trouble: 'no\nengine', capacity: undefined }))).toBe(
      'no pilots known, active, waiting, no\\u000aengine',
    );
  });
});
