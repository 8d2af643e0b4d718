import type { Status } from '../../src/report/status.js';

/** The status of a healthy daemon with one pilot out of four, two hours old; a test states what differs. */
export function aStatus(overrides: Partial<Status> = {}): Status {
  return {
    apiVersion: 'plancton/v1',
    kind: 'Status',
    version: '1.2.3',
    pid: 4711,
    instance: 'i1',
    hostname: 'wn042',
    at: '2026-01-01T02:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    health: 'ok',
    trouble: undefined,
    mode: 'active',
    cycles: 240,
    nextCycleInSeconds: 30,
    capacity: {
      cpus: 8,
      slack: 0.5,
      foreign: 0.25,
      peakForeign: 3.5,
      room: 4.5,
      tolerable: 4.75,
      promised: 1,
      pilots: 1,
      maxDocks: 6,
      admissible: 4,
    },
    holds: [],
    notices: [],
    yields: { mode: 'cgroup', text: 'all pilots in one cgroup of the lowest weight' },
    image: { wanted: 'busybox:latest', id: 'sha256:0123456789abcdef', pulling: undefined },
    engine: { host: 'unix:///var/run/docker.sock', version: '20.10.24', apiVersion: '1.41', failure: undefined },
    config: {
      source: '/etc/plancton',
      revision: '3f2a1b0c9d8e7f6a5b4c',
      probation: undefined,
      signature: undefined,
      refused: undefined,
      unreachable: undefined,
    },
    pilots: [
      {
        name: 'plancton-worker-aaaaaa',
        id: '0123456789ab',
        state: 'running',
        image: 'busybox:latest',
        revision: '3f2a1b0',
        cpus: 1,
        ageSeconds: 3700,
      },
    ],
    totals: { spawned: 10, ended: 8, evicted: 1, failed: 0 },
    ...overrides,
  };
}
