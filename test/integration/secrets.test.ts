import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startChaosProxy, type ChaosProxy } from '../support/chaos-proxy.js';
import { freePort } from '../support/free-port.js';
import { eventually, permissivePolicy, planctonSite } from '../support/plancton-process.js';

/** Each looks like nothing else, so that finding a part of it is finding it. */
const secrets = {
  influx1: 'Zq1pass7Kd',
  influx2: 'Zq2token8Lm',
  influx3: 'Zq3token9Np',
  environment: 'Zq4value0Rs',
  token: 'Zq5token1TuVwXyZ',
  registry: 'Zq6pass2Uv',
};
const planted = Object.values(secrets);

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Where each process that there is shows what it was called with. */
function processList(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => read(`/proc/${pid}/cmdline`)).join('\n');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What those hear who follow events for a while. */
async function follow(address: string): Promise<string> {
  const reply = await fetch(`http://${address}/api/v1/events`);
  const reader = reply.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (reader !== undefined && !text.includes('event: line')) {
    const { value, done } = (await reader.read()) as { readonly value?: Uint8Array; readonly done: boolean };
    if (done) break;
    text += decoder.decode(value);
  }
  await reader?.cancel();
  return text;
}

it('secrets of the configuration, of the host and in what the engine says come out nowhere', async () => {
  // Cleared away after the site, which needs it for that.
  const opened: ChaosProxy[] = [];
  onTestFinished(async () => {
    for (const one of opened) await one.stop();
  });
  const site = planctonSite({ dockerHost: inject('dockerHost') });
  const proxy = await startChaosProxy(join(site.base, 'engine.sock'), inject('dockerHost'));
  opened.push(proxy);
  const said = `no such thing: TOKEN=${secrets.environment} for http://pilot:${secrets.registry}@registry.example.org/v2/`;
  const broken = { forward: false, answer: { status: 500, body: JSON.stringify({ message: said }) } };
  proxy.add({ method: 'POST', path: /^\/containers\/create$/, ...broken });
  // Before it pulls an engine says that all is well.
  const stream = { status: 200, body: `${JSON.stringify({ errorDetail: { message: said }, error: said })}\n` };
  proxy.add({ method: 'POST', path: /^\/images\/create$/, forward: false, answer: stream });
  const tokenFile = join(site.base, 'token');
  writeFileSync(tokenFile, secrets.token, { mode: 0o600 });
  const address = `127.0.0.1:${await freePort()}`;
  const policy = { ...(JSON.parse(permissivePolicy) as object), http_token_file: tokenFile };
  writeFileSync(site.policyFile, JSON.stringify(policy));
  // They are away, so that what goes wrong there is told, too.
  site.configure({
    http_address: address,
    influxdb_url: [
      `http://user:${secrets.influx1}@127.0.0.1:1#db`,
      `http://:${secrets.influx2}@127.0.0.1:1?org=lab#bucket`,
      `http://:${secrets.influx3}@127.0.0.1:1?version=3#db`,
    ],
    docker_env: { TOKEN: secrets.environment },
  });
  const args = ['--engine', `unix://${site.base}/engine.sock`];
  await site.ctl(...args, 'start');
  await eventually('a start has failed', () => site.log().includes('pilot could not be started'));
  await eventually('a pull has failed', () => site.log().includes('image could not be pulled'));
  const lost = proxy.add({ method: 'GET', path: /^\/(version|containers\/json)$/, ...broken });
  await eventually('the engine is lost', () => site.log().includes('no word from the container engine'));
  lost.remove();
  const live = follow(address);
  const ask = async (path: string) => (await fetch(`http://${address}${path}`)).text();
  const wrong = await fetch(`http://${address}/api/v1/drain`, {
    method: 'POST',
    headers: { authorization: 'Bearer x' },
  });
  await fetch(`http://${address}/api/v1/drain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.token}` },
  });
  proxy.heal();
  await fetch(`http://${address}/api/v1/resume`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.token}` },
  });
  const bundle = mkdtempSync(join(tmpdir(), 'plancton-secrets-'));
  const bundled = await site.ctl(...args, 'bundle', join(bundle, 'bundle.tar.gz'));
  expect(bundled.exitCode).toBe(0);
  execFileSync('tar', ['-xzf', join(bundle, 'bundle.tar.gz'), '-C', bundle]);
  const shown: Readonly<Record<string, string>> = {
    log: site.log(),
    'command lines': processList(),
    live: await live,
    'wrong token': await wrong.text(),
    ...Object.fromEntries(
      await Promise.all(
        ['/metrics', '/api/v1/status', '/api/v1/history', '/healthz', '/readyz'].map(
          async (path) => [path, await ask(path)] as const,
        ),
      ),
    ),
    ...Object.fromEntries(
      filesBelow(bundle)
        .filter((file) => !file.endsWith('.gz'))
        .map((file) => [file, read(file)]),
    ),
    ...Object.fromEntries(
      filesBelow(site.base)
        .filter((file) => ![tokenFile, join(site.confDir, 'config.yaml')].includes(file))
        .map((file) => [file, read(file)]),
    ),
  };
  for (const verb of ['status', 'explain', 'history', 'post-mortem', 'report', 'ps', 'doctor']) {
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await site.ctl(...args, verb, ...more);
      (shown as Record<string, string>)[[verb, ...more].join(' ')] = stdout + stderr;
    }
  }
  // They were where they may come from.
  expect(shown['log']).toContain('no such thing');
  expect(shown['log']).toContain('InfluxDB');
  const found = Object.entries(shown).flatMap(([where, text]) =>
    planted.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${where}`),
  );
  expect(found).toEqual([]);
});
