import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { placePolicy, removePolicy } from '../../../../src/cli/bootstrap/policy.js';
import { makeBootstrapWorld, type BootstrapWorld } from '../../../support/bootstrap-context.js';
import { aConfig } from '../../../support/plan-builders.js';

const worlds: BootstrapWorld[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true });
});

function world(...args: Parameters<typeof makeBootstrapWorld>): BootstrapWorld {
  const made = makeBootstrapWorld(...args);
  worlds.push(made);
  return made;
}

test('the policy that the configuration needs is shown, written and taken back', async () => {
  const { context, said } = world();
  const { policyFile } = context.places;
  await placePolicy(context, aConfig(), 'given');
  expect(said.join('\n')).toMatch(/ {2}images: \['busybox'\]/);
  expect(readFileSync(policyFile, 'utf8')).toContain("images: ['busybox']");
  await placePolicy(context, aConfig(), 'ask');
  expect(said.pop()).toContain('allows what the configuration asks for');
  expect(removePolicy(context)).toContain('was removed');
  expect(existsSync(policyFile)).toBe(false);
  expect(removePolicy(context)).toContain('there is no policy');
});

test.each([
  [true, undefined],
  [false, /^not agreed/],
  [undefined, /^nobody is there to agree; say --yes/],
] as const)('somebody has to agree (%s)', async (answer, refused) => {
  const { context } = world({ ask: () => Promise.resolve(answer) });
  const placed = placePolicy(context, aConfig(), 'ask');
  if (refused === undefined) await placed;
  else await expect(placed).rejects.toMatchObject({ exitCode: 64, message: expect.stringMatching(refused) as string });
  expect(existsSync(context.places.policyFile)).toBe(refused === undefined);
});

test('what no policy can allow is said before anything is written', async () => {
  const { context } = world();
  const greedy = aConfig({ binds: ['/var/run/docker.sock:/s'] });
  await expect(placePolicy(context, greedy, 'given')).rejects.toMatchObject({
    exitCode: 78,
    message: expect.stringMatching(
      /no policy can allow .*\nbinds \/var\/run\/docker.sock:\/s: pilots never get/,
    ) as string,
  });
  expect(existsSync(context.places.policyFile)).toBe(false);
});

test('a policy that is there is never widened', async () => {
  const { context } = world();
  const { policyFile } = context.places;
  const strict = 'images: [other]\n';
  writeFileSync(policyFile, strict, { mode: 0o644 });
  await expect(placePolicy(context, aConfig(), 'given')).rejects.toMatchObject({
    exitCode: 78,
    message: expect.stringMatching(/refuses the configuration:\ndocker_image busybox/) as string,
  });
  expect(readFileSync(policyFile, 'utf8')).toBe(strict);
  expect(removePolicy(context)).toContain('stays');
});

test('a policy that somebody has changed stays', async () => {
  const { context } = world();
  await placePolicy(context, aConfig(), 'given');
  writeFileSync(context.places.policyFile, 'images: [mine]\n');
  expect(removePolicy(context)).toContain('stays');
});
