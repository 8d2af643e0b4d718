import { inject, onTestFinished } from 'vitest';
import { dockerCli, type DockerCli } from '../support/docker-cli.js';
import { benchSite, ctl, roomy } from './bench-site.js';
import { waitFor } from './measure.js';

/** Something that keeps `slots` containers of `image` running, each for `seconds`. */
export interface Contender {
  readonly what: string;
  /** A name of its own, by which its containers are told from those of others. */
  readonly image: string;
  begin(slots: number, seconds: number): Promise<void>;
  /** Resolves when none of its containers is left. */
  end(): Promise<void>;
}

/** The same limits for all: what Plancton sets by default or `roomy` says. */
const runOptions = ['--init', '--memory', '20m', '--memory-swap', '20m', '--cpus', '0.1', '--pids-limit', '4096'];
const serviceOptions = ['--init', '--limit-memory', '20M', '--limit-cpu', '0.1', '--limit-pids', '4096'];

/**
 * The original's own dry-run configuration (branch `dryrun` of mconcas/plancton-conf), but for the size of the pilots, which would not
 * fit on a small machine.
 */
const dryRun = { updateconfig: 10, main_sleep: 10, grace_kill: 100, grace_spawn: 100, max_ttl: 172_800 } as const;

/** Everybody in the race. The engine is made a Swarm of one until the bench has ended. */
export async function contenders(): Promise<readonly Contender[]> {
  const docker = dockerCli(inject('dockerHost'));
  await docker('swarm', 'init', '--advertise-addr', '127.0.0.1');
  onTestFinished(async () => {
    await docker('swarm', 'leave', '--force');
  });
  const all = [
    restartAlways(docker),
    service(docker, 'Swarm service, `--restart-delay 0s`', 'bench-swarm-0s', ['--restart-delay', '0s']),
    service(docker, 'Swarm service, defaults', 'bench-swarm', []),
    plancton("`policy: legacy`, the original's dry-run configuration", 'bench-legacy', { ...dryRun, policy: 'legacy' }),
    plancton('Plancton', 'bench-plancton', {}),
  ];
  for (const { image } of all) await docker('tag', 'busybox:latest', image);
  return all;
}

function restartAlways(docker: DockerCli): Contender {
  const image = 'bench-restart';
  return {
    what: '`docker run --restart always`',
    image,
    begin: async (slots, seconds) => {
      const options = ['--detach', '--restart', 'always', '--label', image, ...runOptions];
      for (let slot = 0; slot < slots; slot += 1) await docker('run', ...options, image, '/bin/sleep', String(seconds));
    },
    end: async () => {
      const ids = await docker('ps', '--all', '--quiet', '--filter', `label=${image}`);
      if (ids !== '') await docker('rm', '--force', ...ids.split('\n'));
    },
  };
}

function service(docker: DockerCli, what: string, image: string, options: readonly string[]): Contender {
  return {
    what,
    image,
    begin: async (slots, seconds) => {
      const scale = ['--replicas', String(slots), '--no-resolve-image', '--detach'];
      const command = [image, '/bin/sleep', String(seconds)];
      await docker('service', 'create', '--name', image, ...scale, ...serviceOptions, ...options, ...command);
    },
    end: async () => {
      await docker('service', 'rm', image);
      const left = () => docker('ps', '--all', '--quiet', '--filter', `label=com.docker.swarm.service.name=${image}`);
      await waitFor(`${image} is gone`, 60_000, async () => (await left()) === '');
    },
  };
}

function plancton(what: string, image: string, settings: Readonly<Record<string, unknown>>): Contender {
  const site = benchSite({});
  return {
    what,
    image,
    begin: async (slots, seconds) => {
      const pilots = { max_docks: slots, docker_image: image, docker_cmd: `/bin/sleep ${seconds}` };
      site.configure({ ...roomy, ...settings, ...pilots });
      await ctl(site, 'start');
    },
    end: () => ctl(site, 'force-stop'),
  };
}
