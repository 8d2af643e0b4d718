import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import { renderConfigFile } from '../../src/config/render.js';
import { createDockerEngine } from '../../src/engine/docker-engine.js';
import type { PilotSpec } from '../../src/model.js';
import { pilotSpec } from '../../src/plan/pilot-spec.js';
import { anObservation, aSpec } from '../support/builders.js';
import { importBusybox } from '../support/busybox-image.js';
import { dockerCli, type DockerCli } from '../support/docker-cli.js';
import { startPrivateEngine } from '../support/private-engine.js';

// What a pilot is kept from, seen from inside of it and from the host.

const docker = dockerCli(inject('dockerHost'));
const started: string[] = [];

function connect(host: string) {
  return createDockerEngine({ clock: systemClock, host, registryAuthFile: '/nonexistent/config.json' });
}
const engine = connect(inject('dockerHost'));

afterEach(async () => {
  for (const id of started.splice(0)) await engine.removePilot(id);
});

async function start(spec: PilotSpec): Promise<string> {
  const id = await engine.createPilot(spec, undefined);
  started.push(id);
  await engine.startPilot(id);
  return id;
}

/** A pilot of a configuration as text. */
function specOf(text: string, command: readonly string[], suffix: string): PilotSpec {
  const result = loadConfig([{ file: 'config.yaml', text }], { ncpus: 2, ramBytes: 8e9, swapBytes: 0 });
  if (!result.ok) throw new Error('not a configuration');
  const config = { ...result.config, docker_cmd: [...command], max_dock_mem: 64e6, max_dock_swap: 0 };
  return pilotSpec({ config, revision: 'r1' }, anObservation({ instance: 'containment' }), suffix);
}

function shell(script: string): readonly string[] {
  return ['/bin/sh', '-c', script];
}

/** What the pilot has printed, once it has printed all. */
async function said(id: string, cli: DockerCli = docker): Promise<string> {
  await expect.poll(() => cli('logs', id)).toContain('all said');
  return cli('logs', id);
}

const confess = shell(
  'id; cat /proc/self/oom_score_adj; grep -E "^(NoNewPrivs|Seccomp|Cap(Eff|Prm|Bnd|Inh)):" /proc/self/status; echo all said; exec sleep 1000',
);

test('a pilot of a new configuration is nobody and cannot become anybody', async () => {
  const id = await start(specOf(renderConfigFile(), confess, 'aaaaa1'));
  const words = (await said(id)).replaceAll('\t', ' ');
  expect(words).toContain('uid=65534');
  expect(words).toContain('NoNewPrivs: 1');
  for (const set of ['Eff', 'Prm', 'Bnd', 'Inh']) expect(words).toContain(`Cap${set}: 0000000000000000`);
});

test('a pilot of an older configuration is as Docker makes them: root, who may still change user', async () => {
  const probe = shell(
    'cat /proc/self/status; chown 1000 /tmp && echo changed; su -s /bin/id nobody; echo all said; exec sleep 1000',
  );
  const id = await start(specOf('docker_image: busybox\n', probe, 'aaaaa2'));
  const words = (await said(id)).replaceAll('\t', ' ');
  expect(words).toContain('NoNewPrivs: 0');
  expect(words).toContain('changed');
  expect(words).not.toContain('CapEff: 0000000000000000');
});

test('the kernel takes pilots before anything of the host, payloads too', async () => {
  const id = await start(aSpec({ command: confess }));
  expect((await said(id)).split('\n')).toContain('500');
  const pid = await docker('inspect', '--format', '{{.State.Pid}}', id);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('500');
});

test('a fork bomb fills its own pilot and nothing else', async () => {
  const id = await start(
    aSpec({ command: shell('(while :; do sleep 1000 & done) 2>/dev/null; exec sleep 1000'), pids: 40, cpus: 1 }),
  );
  const processes = async () => Number(await docker('stats', '--no-stream', '--format', '{{.PIDs}}', id));
  await expect.poll(processes).toBeGreaterThan(20);
  for (let look = 0; look < 3; look += 1) expect(await processes()).toBeLessThanOrEqual(40);
  await engine.removePilot(id);
  expect(await docker('ps', '--all', '--quiet', '--no-trunc')).not.toContain(id);
});

test('a pilot that talks without end keeps two bounded files', async () => {
  const line = 'x'.repeat(4000);
  const id = await start(aSpec({ command: shell(`yes ${line} | head -c 32000000; echo all said; exec sleep 1000`) }));
  await expect.poll(() => docker('logs', '--tail', '1', id)).toMatch(/all said$/);
  const file = await docker('inspect', '--format', '{{.LogPath}}', id);
  const files = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file)));
  expect(files).toHaveLength(2);
  const sizes = files.map((name) => statSync(join(dirname(file), name)).size);
  for (const size of sizes) expect(size).toBeLessThan(10_100_000);
});

test('a payload that has not thought of signals ends when it is asked to', async () => {
  // As process 1 it would not even be told.
  const id = await start(aSpec({ command: ['/bin/sleep', '1000'] }));
  await engine.stopPilot(id, 60);
  expect((await engine.pilotEnd(id))?.exitCode).toBe(143);
});

describe('an engine with another driver for logs', () => {
  test('keeps it, and the bound', async () => {
    const other = await startPrivateEngine({ args: ['--log-driver', 'local'] });
    try {
      await importBusybox(other);
      const id = await connect(other.host).createPilot(aSpec(), undefined);
      const inspected = await other.docker('inspect', '--format', '{{json .HostConfig.LogConfig}}', id);
      expect(JSON.parse(inspected)).toEqual({ Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } });
    } finally {
      await other.stop();
    }
  });
});
