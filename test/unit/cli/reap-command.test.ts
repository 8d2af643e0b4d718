import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { runProgram } from '../../../src/cli/program.js';
import { pilotLabels } from '../../../src/engine/pilot-container.js';
import { MACHINE_ID_FILE, readInstance } from '../../../src/observe/instance.js';
import { aHost } from '../../support/builders.js';
import { recordingContext } from '../../support/cli-context.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';
import { tempDirectory } from '../../support/temp-directory.js';

const opened: HttpEngine[] = [];
const hour = 3600;

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

/** A host without a daemon, with one pilot that has run for so long. */
async function aSite(config: string, policy: string | undefined, ageSeconds: number) {
  const dir = tempDirectory();
  const at = (name: string) => join(dir, name);
  mkdirSync(at('conf'));
  mkdirSync(at('run'), { mode: 0o700 });
  writeFileSync(join(at('conf'), 'config.yaml'), config);
  if (policy !== undefined) writeFileSync(at('policy.yaml'), policy, { mode: 0o644 });
  const host = aHost();
  const pilot = {
    Id: 'a'.repeat(64),
    Names: ['/plancton-worker-aaaaaa'],
    Image: 'busybox',
    ImageID: '',
    Created: Math.floor(systemClock.now().wallMs / 1000) - ageSeconds,
    State: 'running',
    Status: 'Up',
    Labels: {
      [pilotLabels.managed]: 'true',
      [pilotLabels.name]: 'plancton-worker-aaaaaa',
      [pilotLabels.instance]: await readInstance(at('run'), MACHINE_ID_FILE, host.hostname),
      // Of another boot, so that the wall clock counts.
      [pilotLabels.bootId]: 'another',
    },
  };
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/containers/json')) sendJson(reply, 200, [pilot]);
    else reply.writeHead(204).end();
  });
  opened.push(server);
  const context = recordingContext({ uid: process.getuid?.() ?? 0, readHost: () => Promise.resolve(host) });
  const places = ['conf', 'run'].map((name) => `--${name}dir=${at(name)}`);
  const options = [`--engine=${server.host}`, `--policyfile=${at('policy.yaml')}`, ...places];
  const exitCode = await runProgram(context, [...options, 'reap', '--expired']);
  return {
    exitCode,
    out: context.stdout.join('\n'),
    err: context.stderr.join('\n'),
    removals: server.requests.filter((request) => request.startsWith('DELETE')),
  };
}

describe('planctonctl reap --expired', () => {
  it('removes what is past the max_ttl of the configuration', async () => {
    expect(await aSite('max_ttl: 1h\n', undefined, 2 * hour)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('plancton-worker-aaaaaa') as string,
      removals: [expect.stringContaining('a'.repeat(64))],
    });
    expect(await aSite('max_ttl: 3h\n', undefined, 2 * hour)).toMatchObject({
      out: 'no pilot is past its time to live',
      removals: [],
    });
  });

  it('goes by most_ttl of the policy where nobody can read the configuration', async () => {
    const broken = 'max_ttl: [1h\n';
    const kept = await aSite(broken, 'images: [busybox]\nmost_ttl: 3h\n', 2 * hour);
    expect(kept).toMatchObject({ exitCode: 0, removals: [] });
    expect(kept.err).toContain('the configuration is not valid (planctonctl config check)');
    const ended = await aSite(broken, 'images: [busybox]\nmost_ttl: 1h\n', 2 * hour);
    expect(ended).toMatchObject({ exitCode: 0, removals: [expect.stringContaining('a'.repeat(64))] });
  });

  it('ends nobody for a slip in a file where no policy says for how long pilots may live', async () => {
    const { removals, out } = await aSite('max_ttl: [1h\n', undefined, 300 * 24 * hour);
    expect([removals, out]).toEqual([[], 'no pilot is past its time to live']);
  });
});
