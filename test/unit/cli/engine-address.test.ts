import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { engineHost } from '../../../src/cli/context.js';
import { isEngineAddress } from '../../../src/cli/engine-address.js';
import { runProgram } from '../../../src/cli/program.js';
import { recordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

const wrong = [
  'foo',
  'ftp://x',
  'unix://relative',
  'unix://',
  'unix:///',
  'tcp://h',
  'tcp://h:0',
  'tcp://h:99999',
  'tcp://:2375',
  'tcp://h:2375/path',
  '/var/run/docker.sock',
];
const forms = 'unix:///path or tcp://host:port';

describe('the address of the engine', () => {
  it.each(['unix:///var/run/docker.sock', 'tcp://h:2375', 'tcp://10.0.0.1:65535/', 'tcp://[::1]:2375'])(
    'may be %s',
    (address) => {
      expect(isEngineAddress(address)).toBe(true);
      expect(engineHost({}, { env: { DOCKER_HOST: address } })).toBe(address);
    },
  );

  it.each([...wrong, ''])('ends with 64 for --engine=%s, whatever the verb, and names the forms', async (address) => {
    const context = recordingContext();
    expect(await runProgram(context, ['status', `--engine=${address}`])).toBe(64);
    expect(context.stderr.join('\n')).toContain(`'${address}' is invalid. It must be ${forms}.`);
  });

  it.each(wrong)('ends with 64 for DOCKER_HOST=%s before anything is changed', async (address) => {
    const home = tempDirectory();
    for (const verb of ['start', 'force-start', 'nodaemon', 'force-stop']) {
      const context = recordingContext({ uid: 1000, home, env: { DOCKER_HOST: address } });
      expect(await runProgram(context, [verb])).toBe(64);
      expect(context.stderr).toEqual([
        `planctonctl: DOCKER_HOST is "${address}"; the address of a container engine is ${forms}`,
      ]);
    }
    expect(readdirSync(home)).toEqual([]);
  });

  it('does not matter to verbs that need no engine', async () => {
    const context = recordingContext({ uid: 1000, home: tempDirectory(), env: { DOCKER_HOST: 'ssh://far' } });
    expect(await runProgram(context, ['stop'])).toBe(0);
    expect(await runProgram(context, ['status'])).toBe(3);
  });
});
