import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importBusybox } from '../support/busybox-image.js';
import { startLocalRegistry, type LocalRegistry } from '../support/local-registry.js';
import { eventually, planctonSite } from '../support/plancton-process.js';
import { startPrivateEngine, type PrivateEngine } from '../support/private-engine.js';

let engine: PrivateEngine;
let registry: LocalRegistry;

beforeAll(async () => {
  engine = await startPrivateEngine();
  registry = await startLocalRegistry(engine);
  await importBusybox(engine);
  await engine.docker('create', '--name', 'base', 'busybox', 'true');
});
afterAll(async () => {
  await registry.stop();
  await engine.stop();
});

/** Makes a new image; quick, since it shares its files with all others. */
async function make(tag: string, salt: string): Promise<void> {
  await engine.docker('commit', '--change', `LABEL salt=${salt}`, 'base', tag);
}

/** Makes a new image that is in the registry only; returns its id. */
async function publish(name: string, salt: string): Promise<string> {
  await make('build:latest', salt);
  const id = await idOf('build:latest');
  const before = await idOf(`${registry.host}/${name}`).catch(() => undefined);
  const reference = await registry.push('build:latest', name);
  await engine.docker('rmi', reference, 'build:latest');
  // Pushing took the name from it.
  if (before !== undefined) await engine.docker('tag', before, reference);
  return id;
}

function idOf(name: string): Promise<string> {
  return engine.docker('image', 'inspect', '--format', '{{.Id}}', name);
}

async function onHost(): Promise<readonly string[]> {
  return [...new Set((await engine.docker('images', '--all', '--quiet', '--no-trunc')).split('\n'))];
}

/** Images of others, of every kind that one might take for ours. */
async function placeDecoys(): Promise<readonly string[]> {
  await make('their:latest', 'untagged');
  const untagged = await idOf('their:latest');
  await make('their:latest', 'tagged');
  await make('plancton.local/feedfeedfeed:0-1-a', 'another-instance');
  const pulled = await publish('group/worker:theirs', 'pulled-by-others');
  await engine.docker('pull', '--quiet', `${registry.host}/group/worker:theirs`);
  return [
    await idOf('busybox'),
    untagged,
    await idOf('their:latest'),
    await idOf('plancton.local/feedfeedfeed:0-1-a'),
    pulled,
  ];
}

describe('superseded images on a real engine', () => {
  it('are removed if Plancton has pulled them and nobody needs them, and nothing else is', async () => {
    const decoys = await placeDecoys();
    const site = planctonSite({ dockerHost: engine.host });
    const want = (tag: string) => {
      site.configure({ docker_image: `${registry.host}/group/worker:${tag}`, image_keep: 0, max_docks: 2 });
    };
    const isHere = (id: string) => async () => (await onHost()).includes(id);
    const isGone = (id: string) => async () => !(await onHost()).includes(id);

    // Its tag moves on while pilots run from it, and the daemon is another one when it does.
    const first = await publish('group/worker:1', 'first');
    want('1');
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    await site.untilRunning(2);
    expect(await site.ctl('stop')).toMatchObject({ exitCode: 0 });
    const second = await publish('group/worker:1', 'second');
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    await eventually('the tag has moved', isHere(second));
    await engine.docker('create', '--name', 'theirs', `${registry.host}/group/worker:1`, 'true');

    const third = await publish('group/worker:2', 'third');
    want('2');
    await eventually('the third image is here', isHere(third));
    await engine.docker('rm', '--force', ...(await site.pilotIds()));
    await eventually('pilots live from the third', async () => {
      const running = await engine.docker('ps', '--quiet', '--filter', `ancestor=${third}`);
      return running.split('\n').length === 2;
    });
    await site.untilRunning(2);
    // What no pilot has lived from for `fizzle_seconds` is not known to be good, and then nothing goes for its age.
    await site.until('pilots have lived from the third', ({ pilots }) =>
      pilots.every(({ ageSeconds }) => ageSeconds >= 3),
    );

    const fourth = await publish('group/worker:3', 'fourth');
    want('3');
    await eventually('the fourth image is here', isHere(fourth));
    await eventually('the first image is gone', isGone(first));
    expect(await onHost()).toEqual(expect.arrayContaining([second, third, fourth]));

    await engine.docker('rm', 'theirs');
    const fifth = await publish('group/worker:4', 'fifth');
    want('4');
    await eventually('the second and the fourth are gone', async () => {
      const here = await onHost();
      return !here.includes(second) && !here.includes(fourth);
    });

    await site.untilRunning(2);
    expect([...(await onHost())].sort()).toEqual([...decoys, third, fifth].sort());
    expect(await engine.docker('images', '--quiet', `${registry.host}/group/worker:3`)).toBe('');
    for (const name of ['their:latest', 'plancton.local/feedfeedfeed:0-1-a', `${registry.host}/group/worker:theirs`]) {
      expect(decoys).toContain(await idOf(name));
    }
    const removals = site.log().match(/superseded image removed: image_keep was over.*/g) ?? [];
    expect(removals).toHaveLength(3);
    expect(removals.join('\n')).toContain(`${registry.host}/group/worker:3`);
  });
});
