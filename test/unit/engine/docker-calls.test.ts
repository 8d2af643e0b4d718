import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import type { EndedCall } from '../../../src/engine/docker-connection.js';
import { createDockerEngine } from '../../../src/engine/docker-engine.js';
import { pilotLabels } from '../../../src/engine/pilot-container.js';
import { sendJson, startHttpEngine, type Handler, type HttpEngine } from '../../support/http-engine.js';

const ownership = { instance: 'test', adoptOriginal: false };
const listMs = 100;

async function serve(handle: Handler): Promise<HttpEngine> {
  const server = await startHttpEngine(handle);
  onTestFinished(() => server.close());
  return server;
}

function connect(host: string, onCall?: (call: EndedCall) => void) {
  const options = { clock: systemClock, host, registryAuthFile: '/nonexistent', deadlines: { listMs } };
  return createDockerEngine(onCall === undefined ? options : { ...options, onCall });
}

describe('the list', () => {
  it('waits longer for an engine that was too slow, until it is quick again', async () => {
    let isSlow = true;
    const { host } = await serve((_, reply) => {
      if (!isSlow) sendJson(reply, 200, []);
    });
    const engine = connect(host);
    const outcome = () =>
      engine.listPilots(ownership).then(
        () => 'listed',
        (error: unknown) => /within [\d.]+ s/.exec(String(error))?.[0],
      );
    const outcomes = async (count: number) => {
      const found = [];
      for (let index = 0; index < count; index += 1) found.push(await outcome());
      return found;
    };
    expect(await outcomes(4)).toEqual(['within 0.1 s', 'within 0.2 s', 'within 0.4 s', 'within 0.4 s']);
    isSlow = false;
    expect(await outcomes(2)).toEqual(['listed', 'listed']);
    isSlow = true;
    expect(await outcomes(1)).toEqual(['within 0.1 s']);
  });

  it.each([
    [{ bridge: { IPAddress: '172.17.0.2', MacAddress: '02:42:AC:11:00:02' } }, ['172.17.0.2', '02:42:ac:11:00:02']],
    [
      { v6: { IPAddress: '', MacAddress: '02:01' }, bridge: { IPAddress: '172.17.0.2', MacAddress: '02:02' } },
      ['172.17.0.2', '02:02'],
    ],
    [{ v6: { MacAddress: '02:01' } }, [undefined, '02:01']],
    [{ host: { IPAddress: '', MacAddress: '' } }, [undefined, undefined]],
    [{ odd: 'x', other: { IPAddress: 7 } }, [undefined, undefined]],
  ])('tells the address and the card of each pilot: %j', async (Networks, [address, mac]) => {
    const labels = {
      [pilotLabels.managed]: 'true',
      [pilotLabels.instance]: 'test',
      [pilotLabels.name]: 'plancton-worker-abc123',
    };
    const summary = {
      Id: 'a',
      Names: ['/plancton-worker-abc123'],
      Image: 'x',
      Created: 1,
      State: 'running',
      Status: 'Up',
    };
    const { host } = await serve((_, reply) => {
      sendJson(reply, 200, [{ ...summary, Labels: labels, NetworkSettings: { Networks } }]);
    });
    const [pilot] = await connect(host).listPilots(ownership);
    expect([pilot?.address, pilot?.mac]).toEqual([address, mac]);
  });
});

describe('each call', () => {
  it('is told when it is over, with how it ended', async () => {
    const answers = [
      (reply: ServerResponse) => {
        sendJson(reply, 200, []);
      },
      (reply: ServerResponse) => {
        sendJson(reply, 500, { message: 'no' });
      },
      () => undefined,
      (reply: ServerResponse) => {
        sendJson(reply, 200, 'a list');
      },
    ];
    const { host } = await serve((_, reply) => answers.shift()?.(reply));
    const told: EndedCall[] = [];
    const onCall = (call: EndedCall) => void told.push(call);
    const engine = connect(host, onCall);
    for (let call = 0; call < 4; call += 1) await engine.listPilots(ownership).catch(() => undefined);
    expect(told.map(({ op, code }) => `${op} ${code}`)).toEqual([
      ...['version ok', 'list ok', 'list 500', 'list timeout', 'list malformed'],
    ]);
    expect(told[3]?.tookMs).toBeGreaterThan(0.9 * listMs);
  });
});
