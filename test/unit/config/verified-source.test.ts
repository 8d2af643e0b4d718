import { expect, it } from 'vitest';
import type { SignatureRules } from '../../../src/config/signature.js';
import type { ConfigRevision, ConfigSource } from '../../../src/config/source.js';
import { createVerifiedSource } from '../../../src/config/verified-source.js';

const REQUIRED: SignatureRules = { mode: 'require', keys: { list: [], allowedSigners: '', pgpRing: Buffer.alloc(0) } };

it('knows of a revision that it is asked about, however many others have come', async () => {
  let here = '';
  const revision = (): ConfigRevision => ({ id: here, layers: [] });
  const source: ConfigSource = {
    describe: () => 'the test',
    current: () => Promise.resolve(revision()),
    unedited: () => Promise.resolve(undefined),
    candidate: () => Promise.resolve(undefined),
    accept: () => Promise.resolve(),
  };
  const witness = {
    signatureOf: () => Promise.resolve({ by: 'ann' }),
    ageProblem: () => Promise.resolve(undefined),
  };
  const verified = createVerifiedSource(source, witness, () => Promise.resolve(REQUIRED));
  for (const id of ['used', 'idle', ...Array.from({ length: 20 }, (_, index) => `new-${index}`)]) {
    here = id;
    await verified.current();
    expect(await verified.distrust?.('used')).toBeUndefined();
  }
  expect(await verified.distrust?.('idle')).toMatch(/has not been checked yet/);
});
