import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { pilotLabels, type Labels } from '../../../src/engine/pilot-container.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';

const ownership = { instance: 'test', adoptOriginal: false };
const opened: HttpEngine[] = [];
const { managed, instance, name, image } = pilotLabels;
const labels = {
  [managed]: 'true',
  [instance]: ownership.instance,
  [name]: 'plancton-worker-aaaaaa',
  [image]: 'i:1',
};
const listed = {
  Id: 'x',
  Names: ['/plancton-worker-aaaaaa'],
  Image: 'i:1',
  ImageID: 'sha256:1',
  Created: 1,
  State: 'running',
  Status: 'Up',
  Labels: labels,
};

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

/** An engine that lists these containers, and answers like that about their images. */
async function anEngine(containers: readonly object[], answerAboutImage: (reply: ServerResponse) => void) {
  const server = await startHttpEngine((request, reply) => {
    if (request.url?.includes('/images/') === true) answerAboutImage(reply);
    else sendJson(reply, 200, containers);
  });
  opened.push(server);
  const deadlines = { listMs: 2000, inspectMs: 400 };
  const { host } = server;
  const engine = createDockerEngine({ clock: systemClock, host, registryAuthFile: '/nonexistent', deadlines });
  const names = async (wanted = ownership) => (await engine.listPilots(wanted)).map((pilot) => pilot.name);
  const looks = () => server.requests.filter((request) => request.includes('/images/')).length;
  return { names, looks };
}

const carries = (ofImage: Labels) => (reply: ServerResponse) => {
  sendJson(reply, 200, { Id: 'sha256:1', Config: { Labels: ofImage } });
};

function refuses(status: number) {
  return (reply: ServerResponse) => {
    sendJson(reply, status, { message: 'layer store is broken' });
  };
}

describe('containers that carry the labels of a pilot and its name', () => {
  it.each<[string, Labels]>([
    ['carries no labels of ours', { maintainer: 'them' }],
    ['was committed from another pilot', { ...labels, [name]: 'plancton-worker-bbbbbb' }],
    ['says nothing of a name', { [managed]: 'true', [instance]: ownership.instance }],
  ])('are ours where their image %s', async (_, ofImage) => {
    const { names } = await anEngine([listed], carries(ofImage));
    await expect(names()).resolves.toEqual(['plancton-worker-aaaaaa']);
  });

  it('are not ours where their image carries that very name: whoever makes one of it has to name it so', async () => {
    const web = { ...labels, [name]: 'shop_web_1' };
    const { names } = await anEngine([{ ...listed, Names: ['/shop_web_1'], Labels: web }], carries(web));
    await expect(names()).resolves.toEqual([]);
  });

  it('have their image looked at once, and not at all where an original Plancton has made them', async () => {
    const original = { ...listed, Id: 'y', Names: ['/plancton-worker-0a1b2c'], ImageID: 'sha256:2', Labels: {} };
    const { names, looks } = await anEngine([listed, original], carries({}));
    const wanted = { ...ownership, adoptOriginal: true };
    await expect(names(wanted)).resolves.toHaveLength(2);
    await expect(names(wanted)).resolves.toHaveLength(2);
    expect(looks()).toBe(1);
  });

  it.each([
    ['gone', 404],
    ['not to be read', 500],
  ])('are ours where the engine says that the image is %s, and are asked about again', async (_, status) => {
    const { names, looks } = await anEngine([listed], refuses(status));
    await expect(names()).resolves.toHaveLength(1);
    await expect(names()).resolves.toHaveLength(1);
    expect(looks()).toBe(2);
  });

  it('are unknown while the engine does not answer: there is no list then', async () => {
    const { names } = await anEngine([listed], () => undefined);
    await expect(names()).rejects.toMatchObject({ name: 'EngineError', kind: 'timeout' });
  });
});

describe('containers that carry the labels of a pilot and another name, or none', () => {
  async function namesOf(containerName: string, answerAboutImage: (reply: ServerResponse) => void) {
    const { names } = await anEngine([{ ...listed, Names: [`/${containerName}`] }], answerAboutImage);
    return names();
  }

  it('are ours where somebody has renamed them', async () => {
    await expect(namesOf('other', carries({ maintainer: 'them' }))).resolves.toEqual(['other']);
  });

  it('are not where their image carries the labels: others have made them of it', async () => {
    await expect(namesOf('other', carries(labels))).resolves.toEqual([]);
  });

  it('are never ours without the label of the name, whatever image they say they are of', async () => {
    const nameless = { [managed]: 'true', [instance]: ownership.instance, [image]: 'i:1' };
    const { names, looks } = await anEngine([{ ...listed, Labels: nameless }], carries(nameless));
    await expect(names()).resolves.toEqual([]);
    expect(looks()).toBe(0);
  });

  it('are left alone where that image is said to be gone: nobody knows whose labels they are', async () => {
    await expect(namesOf('other', refuses(404))).resolves.toEqual([]);
  });

  it('are ours where their image was committed from another pilot: its labels are of that one', async () => {
    const committed = carries({ ...labels, [name]: 'plancton-worker-bbbbbb' });
    await expect(namesOf('other', committed)).resolves.toEqual(['other']);
  });

  it.each<[string, (reply: ServerResponse) => void]>([
    ['refuses to tell', refuses(500)],
    ['does not answer', () => undefined],
  ])('are left alone where the engine %s, and keep no others from being listed', async (_, answerAboutImage) => {
    await expect(namesOf('other', answerAboutImage)).resolves.toEqual([]);
  });

  it('hold up the list for one look, however many they are', async () => {
    const containers = Array.from({ length: 20 }, (_, index) => ({
      ...listed,
      ...{ Id: `x${index}`, ImageID: `sha256:${index % 5}`, Names: [`/other-${index}`] },
    }));
    const { names, looks } = await anEngine(containers, () => undefined);
    // Each look by itself is given up after 0.4 s.
    await expect(Promise.race([names(), systemClock.sleep(1_500)])).resolves.toEqual([]);
    expect(looks()).toBe(5);
  });
});
