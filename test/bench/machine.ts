import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';

/** Where figures come from, in one line: hardware, kernel, versions. */
export function describeMachine(): string {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown CPU';
  const cgroup = existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
  const engine = execFileSync('dockerd', ['--version'], { encoding: 'utf8' });
  return [
    `${os.availableParallelism()} CPUs (${model})`,
    `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    `Linux ${os.release().split('-')[0] ?? ''}, cgroup ${cgroup}`,
    `Node ${process.version.slice(1)}`,
    `Docker ${/version ([^\s,+]+)/.exec(engine)?.[1] ?? 'unknown'}`,
  ].join(', ');
}
