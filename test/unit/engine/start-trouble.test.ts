import { expect, it } from 'vitest';
import { EngineError } from '../../../src/engine/container-engine.js';
import { startTroubleOf } from '../../../src/engine/start-trouble.js';
import type { EngineFailure, StartTrouble } from '../../../src/model.js';

const runc = 'OCI runtime create failed: container_linux.go:380: starting container process caused:';
const failures: readonly (readonly [StartTrouble | undefined, EngineFailure['kind'], string])[] = [
  ['control-groups', 'refused', `${runc} mkdir /sys/fs/cgroup/memory/plancton/abc: no space left on device: unknown`],
  ['control-groups', 'refused', `${runc} mkdir /sys/fs/cgroup/memory/docker/abc: cannot allocate memory: unknown`],
  [
    'addresses',
    'refused',
    "failed to create endpoint p on network bridge: no available IPv4 addresses on this network's address pools: bridge (0123)",
  ],
  ['network', 'refused', 'failed to create endpoint p on network bridge: adding interface veth1 failed: exchange full'],
  ['keys', 'refused', `${runc} process_linux.go:449: could not create session key: disk quota exceeded: unknown`],
  ['control-groups', 'refused', `${runc} mkdir /sys/fs/cgroup/plancton/abc: resource temporarily unavailable`],
  [
    'no-room',
    'refused',
    `${runc} error mounting "cgroup" to rootfs: mkdir /var/lib/docker/overlay2/0123: no space left on device`,
  ],
  ['no-room', 'refused', 'failed to create endpoint p on network bridge: local-kv.db: no space left on device'],
  ['addresses', 'refused', 'netavark: IPAM error: failed to find free IP in range: 10.88.0.1 - 10.88.255.254'],
  ['no-room', 'refused', 'mkdir /var/lib/docker/overlay2/0123-init: no space left on device'],
  ['processes', 'refused', 'fork/exec /usr/bin/containerd-shim-runc-v2: resource temporarily unavailable: unknown'],
  [undefined, 'refused', `${runc} exec: "nonsense": executable file not found in $PATH: unknown`],
  [undefined, 'not-found', 'network veth not found'],
  [undefined, 'timeout', 'no answer from the container engine within 60 s'],
];

it.each(failures)('%s, by what the engine says (%s): %s', (trouble, kind, said) => {
  expect(startTroubleOf(new EngineError(kind, `Starting pilot 0123: ${said}`))).toBe(trouble);
});
