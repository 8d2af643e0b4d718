import { expect, it } from 'vitest';
import { EngineError, type ContainerEngine } from '../../../src/engine/container-engine.js';
import { discreet } from '../../../src/engine/discreet-engine.js';

const hide = (text: string) => text.replaceAll('sesame', '…');

/** Every method rejects with `error`. */
function failing(error: Error): ContainerEngine {
  return new Proxy({} as ContainerEngine, { get: () => () => Promise.reject(error) });
}

const methods = Object.keys(discreet(failing(new Error()), hide)) as (keyof ContainerEngine)[];

it.each(methods)('hides in what %s fails with', async (method) => {
  const trouble = { kind: 'limited' } as unknown as NonNullable<EngineError['pull']>;
  const inner = new EngineError('refused', 'open sesame', { pull: trouble });
  const engine = discreet(failing(inner), hide) as unknown as Record<string, () => Promise<unknown>>;
  const failure = await engine[method]?.().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EngineError);
  expect(failure).toMatchObject({ kind: 'refused', message: 'open …', pull: trouble, cause: inner });
});

it('leaves alone what says nothing of the kind, and what is a bug', async () => {
  const plain = new EngineError('timeout', 'no answer');
  await expect(discreet(failing(plain), hide).info()).rejects.toBe(plain);
  const bug = new TypeError('sesame');
  await expect(discreet(failing(bug), hide).info()).rejects.toBe(bug);
});
