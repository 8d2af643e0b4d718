import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSafe, unsafePath } from '../../../src/policy/safe-path.js';
import { createHostPolicy } from '../../../src/policy/policy-file.js';
import { tempDirectory } from '../../support/temp-directory.js';

const uid = process.getuid?.() ?? 0;

function aFile(text = 'images: [busybox]\n') {
  const dir = tempDirectory();
  const file = join(dir, 'policy.yaml');
  writeFileSync(file, text, { mode: 0o644 });
  return { dir, file, read: () => createHostPolicy(file, uid).read() };
}

describe('the file of the policy', () => {
  it('is read, and read again only when it was changed', async () => {
    const { dir, file } = aFile();
    const policy = createHostPolicy(file, uid);
    const first = await policy.read();
    expect(first).toMatchObject({ ok: true, policy: { images: ['busybox'] } });
    expect(await policy.read()).toBe(first);
    writeFileSync(join(dir, 'next'), 'images: [other]\n', { mode: 0o644 });
    renameSync(join(dir, 'next'), file);
    expect(await policy.read()).toMatchObject({ ok: true, policy: { images: ['other'] } });
    writeFileSync(file, 'imges: [other]\n');
    expect(await policy.read()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/did you mean images/) as string,
    });
  });

  it('is missed by name, with the cure', async () => {
    const file = join(tempDirectory(), 'policy.yaml');
    expect(await createHostPolicy(file, uid).read()).toEqual({
      ok: false,
      why: `there is no policy for this host (${file}), so no pilot is started; plancton-bootstrap or \`planctonctl policy init\` writes one`,
    });
  });

  it.each([0o664, 0o646, 0o666])('is not trusted with mode %o', async (mode) => {
    const { file, read } = aFile();
    chmodSync(file, mode);
    expect(await read()).toMatchObject({ ok: false, why: expect.stringMatching(/can be changed by others/) as string });
  });

  it('is not trusted in a folder that others may write to', async () => {
    const { dir, read } = aFile();
    chmodSync(dir, 0o777);
    expect(await read()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/where others than root may write/) as string,
    });
  });

  it('is not trusted below a folder that others may write to, or that a link leads to', async () => {
    const top = tempDirectory();
    mkdirSync(join(top, 'a', 'b'), { recursive: true });
    const file = join(top, 'a', 'b', 'policy.yaml');
    writeFileSync(file, 'images: [busybox]\n', { mode: 0o644 });
    symlinkSync(join(top, 'a'), join(top, 'link'));
    expect(await createHostPolicy(file, uid).read()).toMatchObject({ ok: true });
    expect(await createHostPolicy(join(top, 'link', 'b', 'policy.yaml'), uid).read()).toMatchObject({
      why: expect.stringMatching(/cannot be trusted: .*link is a symbolic link/) as string,
    });
    chmodSync(join(top, 'a'), 0o777);
    expect(await createHostPolicy(file, uid).read()).toMatchObject({
      why: expect.stringMatching(/cannot be trusted: others than root may change what is in /) as string,
    });
  });

  it('is not followed as a link, and is a file', async () => {
    const { dir, file } = aFile();
    symlinkSync(file, join(dir, 'link'));
    expect(await createHostPolicy(join(dir, 'link'), uid).read()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/is a symbolic link/) as string,
    });
    mkdirSync(join(dir, 'folder'));
    expect(await createHostPolicy(join(dir, 'folder'), uid).read()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/is not a file/) as string,
    });
  });

  it('belongs to root or to the daemon', () => {
    expect(isSafe({ uid: 0, mode: 0o644 }, 1000)).toBe(true);
    expect(isSafe({ uid: 1000, mode: 0o600 }, 1000)).toBe(true);
    expect(isSafe({ uid: 1001, mode: 0o600 }, 1000)).toBe(false);
  });
});

describe('the path of a bind', () => {
  it('is safe below folders that only root and the daemon may change', async () => {
    const dir = tempDirectory();
    mkdirSync(join(dir, 'open'), { mode: 0o777 });
    chmodSync(join(dir, 'open'), 0o777);
    expect(await unsafePath(dir, uid)).toBeUndefined();
    expect(await unsafePath(join(dir, 'open'), uid)).toBeUndefined();
    expect(await unsafePath(join(dir, 'nothing', 'there'), uid)).toBeUndefined();
    expect(await unsafePath('/', uid)).toBeUndefined();
  });

  it('is not safe through a folder of everybody, nor through a link', async () => {
    const dir = tempDirectory();
    mkdirSync(join(dir, 'open', 'inner'), { recursive: true });
    chmodSync(join(dir, 'open'), 0o777);
    symlinkSync('/etc', join(dir, 'link'));
    expect(await unsafePath(join(dir, 'open', 'inner'), uid)).toMatch(/others than root may change what is in .*open/);
    expect(await unsafePath(join(dir, 'link'), uid)).toMatch(/is a symbolic link/);
    expect(await unsafePath(join(dir, 'link', 'passwd'), uid)).toMatch(/is a symbolic link/);
  });

  it.skipIf(uid !== 0)(
    'is safe in a folder like /tmp where it belongs to root, not where somebody could make it',
    async () => {
      const dir = tempDirectory();
      const sticky = join(dir, 'tmp');
      mkdirSync(join(sticky, 'ours'), { recursive: true });
      mkdirSync(join(sticky, 'theirs'));
      chmodSync(sticky, 0o1777);
      chownSync(join(sticky, 'theirs'), 65_534, 65_534);
      expect(await unsafePath(join(sticky, 'ours'), uid)).toBeUndefined();
      expect(await unsafePath(join(sticky, 'theirs'), uid)).toMatch(/others than root/);
      expect(await unsafePath(join(sticky, 'missing'), uid)).toMatch(/others than root/);
    },
  );
});
