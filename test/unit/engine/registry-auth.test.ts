import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRegistryAuth } from '../../../src/engine/registry-auth.js';

const dockerHub = 'https://index.docker.io/v1/';
let dir: string;
let file: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plancton-auth-'));
  file = join(dir, 'config.json');
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function write(content: unknown, mode = 0o600): Promise<void> {
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(file, mode);
}

function login(user: string, password = 'p:w'): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') };
}

describe('registry credentials', () => {
  it.each([
    ['busybox', { [dockerHub]: login('hub') }, { username: 'hub', serveraddress: dockerHub }],
    ['group/worker', { [dockerHub]: login('hub') }, { username: 'hub', serveraddress: dockerHub }],
    ['docker.io/library/busybox', { [dockerHub]: login('hub') }, { username: 'hub', serveraddress: dockerHub }],
    ['reg.example/x', { 'reg.example': login('a') }, { username: 'a', serveraddress: 'reg.example' }],
    ['reg.example:5000/x', { 'reg.example:5000': login('a') }, { username: 'a', serveraddress: 'reg.example:5000' }],
    ['reg.example/x', { 'https://reg.example/v2/': login('a') }, { username: 'a', serveraddress: 'reg.example' }],
    ['localhost/x', { localhost: login('a') }, { username: 'a', serveraddress: 'localhost' }],
  ])('for %s are found as Docker finds them', async (image, auths, expected) => {
    await write({ auths });
    await expect(readRegistryAuth(file, image)).resolves.toEqual({ ...expected, password: 'p:w' });
  });

  it.each([
    ['reg.example/x', { 'reg.example:5000': login('a') }],
    ['reg.example.evil/x', { 'reg.example': login('a') }],
    ['reg.example/x', { [dockerHub]: login('a') }],
    ['toString/x', { 'reg.example': login('a') }],
  ])('for %s are never those of another registry', async (image, auths) => {
    await write({ auths });
    await expect(readRegistryAuth(file, image)).resolves.toBeUndefined();
  });

  it('may be a token, or in the clear', async () => {
    await write({ auths: { 'a.b': { identitytoken: 't' }, 'c.d': { username: 'u', password: 'p' } } });
    await expect(readRegistryAuth(file, 'a.b/x')).resolves.toEqual({ identitytoken: 't', serveraddress: 'a.b' });
    await expect(readRegistryAuth(file, 'c.d/x')).resolves.toEqual({
      username: 'u',
      password: 'p',
      serveraddress: 'c.d',
    });
  });

  it('need not exist', async () => {
    await expect(readRegistryAuth(file, 'busybox')).resolves.toBeUndefined();
    await write({});
    await expect(readRegistryAuth(file, 'busybox')).resolves.toBeUndefined();
  });

  it.each([0o644, 0o640, 0o604, 0o620])('are refused when others may touch them: mode %o', async (mode) => {
    await write({ auths: {} }, mode);
    const reading = readRegistryAuth(file, 'busybox');
    await expect(reading).rejects.toMatchObject({ name: 'EngineError', kind: 'forbidden' });
    await expect(reading).rejects.toThrow(`chmod 600 ${file}`);
  });

  it.runIf(process.getuid?.() === 0)('are refused when they belong to somebody else', async () => {
    await write({ auths: {} });
    await chown(file, 12_345, 12_345);
    await expect(readRegistryAuth(file, 'busybox')).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it.each([
    ['broken JSON', '{"auths": {"reg.example": {"auth": "c2VjcmV0OnNlY3JldA=="'],
    ['an unusable entry', { auths: { 'reg.example': { auth: 'c2VjcmV0' } } }],
  ])('in %s are refused without being quoted', async (_, content) => {
    await write(content);
    const error: unknown = await readRegistryAuth(file, 'reg.example/x').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'malformed' });
    expect(String(error)).not.toMatch(/c2Vjcm|secret/);
    expect(String(error)).toContain(file);
  });

  it('are not read from a folder', async () => {
    await expect(readRegistryAuth(dir, 'busybox')).rejects.toMatchObject({ kind: 'malformed' });
  });
});
