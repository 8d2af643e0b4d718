import type {
  CpuSample,
  HostFacts,
  HostImage,
  InFlight,
  Instant,
  LocalImage,
  Observation,
  Pilot,
  PilotSpec,
  Resources,
} from '../../src/model.js';

// Each builder gives a plain, valid value; a test states only what matters to it.

export function anInstant(overrides: Partial<Instant> = {}): Instant {
  return { wallMs: Date.UTC(2026, 0, 1), monoMs: 3_600_000, bootMs: 3_600_000, ...overrides };
}

/** Eight CPUs, 16 GB of RAM, no swap. */
export function aHost(overrides: Partial<HostFacts> = {}): HostFacts {
  return {
    hostname: 'host1',
    ncpus: 8,
    ramBytes: 16_000_000_000,
    swapBytes: 0,
    bootId: '00000000-0000-4000-8000-000000000001',
    ...overrides,
  };
}

/** A full 30 s sample of an idle host of eight CPUs. `idle` follows `busy` unless given. */
export function aSample(overrides: Partial<CpuSample> = {}): CpuSample {
  const cpus = overrides.cpus ?? 8;
  const busy = overrides.busy ?? 0;
  return {
    seq: 1,
    monoMs: 3_600_000,
    spanMs: 30_000,
    cpus,
    busy,
    idle: cpus - busy,
    own: 0,
    service: 0,
    short: false,
    duringPull: false,
    ...overrides,
  };
}

/** More of everything than the pilots of any test take, and nobody who waits for it. */
export function someResources(overrides: Partial<Resources> = {}): Resources {
  return {
    memory: { availableBytes: 1e12, pilotsBytes: 0 },
    disk: { freeBytes: 1e12, totalBytes: 2e12, freeInodes: 1e6, totalInodes: 2e6 },
    pressure: { memorySome10: 0, memorySome60: 0, ioFull60: 0 },
    tasks: { count: 200, most: 32_768 },
    ...overrides,
  };
}

/** A running pilot of one CPU and 2 GB, spawned half an hour after boot. */
export function aPilot(overrides: Partial<Pilot> = {}): Pilot {
  const name = overrides.name ?? 'plancton-worker-aaaaaa';
  return {
    id: `id-of-${name}`,
    name,
    state: 'running',
    image: 'busybox:latest',
    cpus: 1,
    memoryBytes: 2_000_000_000,
    flavour: 'default',
    revision: 'r1',
    spawnedBootMs: 1_800_000,
    bootId: aHost().bootId,
    createdWallMs: Date.UTC(2026, 0, 1) - 1_800_000,
    exitCode: undefined,
    adopted: false,
    ...overrides,
  };
}

/** `sleep 60` in busybox, one CPU, 64 MiB, of instance `test`. */
export function aSpec(overrides: Partial<PilotSpec> = {}): PilotSpec {
  return {
    name: 'plancton-worker-aaaaaa',
    hostname: 'plancton-host1-aaaaaa',
    image: 'busybox:latest',
    command: ['/bin/sleep', '60'],
    entrypoint: undefined,
    env: {},
    user: '0:0',
    cpus: 1,
    memoryBytes: 64 * 1024 * 1024,
    swapBytes: 0,
    pids: 4096,
    privileged: false,
    network: 'bridge',
    binds: [],
    devices: [],
    capabilitiesAdded: [],
    capabilitiesDropped: [],
    securityOptions: [],
    instance: 'test',
    flavour: 'default',
    revision: 'r1',
    bootId: aHost().bootId,
    spawnedBootMs: 1_800_000,
    ...overrides,
  };
}

export function anImage(overrides: Partial<LocalImage> = {}): LocalImage {
  return { reference: 'busybox:latest', id: `sha256:${'1'.repeat(64)}`, createdWallMs: undefined, ...overrides };
}

/** An image that we brought a day ago; its tag has moved on. The id follows from the name. */
export function aHostImage(name: string, overrides: Partial<HostImage> = {}): HostImage {
  return {
    id: `id-of-${name}`,
    marks: [`plancton.local/test:0-1-${name}`],
    markedWallMs: anInstant().wallMs - 86_400_000,
    names: [`site/pilot@${name}`],
    othersNames: [],
    needed: false,
    sizeBytes: 100_000_000,
    ...overrides,
  };
}

export function anInFlight(overrides: Partial<InFlight> = {}): InFlight {
  return { spawning: [], removing: [], pulling: [], ...overrides };
}

/** An idle host with its image, no pilots, a fresh sample and nothing under way. */
export function anObservation(overrides: Partial<Observation> = {}): Observation {
  return {
    at: anInstant(),
    host: aHost(),
    instance: 'test',
    revision: 'r1',
    proof: 'proven',
    sample: aSample(),
    resources: someResources(),
    yields: 'cgroup',
    pilots: [],
    image: anImage(),
    images: undefined,
    mode: 'active',
    policy: { clamps: [], refusals: [] },
    privateBinds: [],
    inFlight: anInFlight(),
    outcomes: [],
    ...overrides,
  };
}
