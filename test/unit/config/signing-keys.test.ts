import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSignature } from '../../../src/config/git/git-signature.js';
import { looksLikePgp, readPgpKeys } from '../../../src/config/pgp-keys.js';
import { readSshSigner, readSshSigners } from '../../../src/config/ssh-keys.js';

const armor = readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'signing-key.asc'));
const bob = {
  kind: 'gpg',
  name: 'Bob <bob@site.org>',
  fingerprint: 'AECE67D7838198678DCA9A37F0694FA4E89C3961',
} as const;
const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIC45NOarYYAVkOltuICVXyBqI5R819P/hGXoOX/Hs0PI';
const fingerprint = 'SHA256:/wn8Hl+qQHwScvmFx8ZS0YmFBURItZuihmtOeZC3dBc';

describe('a file with keys of GPG', () => {
  it('tells names and fingerprints, in armor, as it is, and several in a row', () => {
    const read = readPgpKeys(armor);
    expect(read).toMatchObject({ keys: [bob] });
    const ring = typeof read === 'string' ? Buffer.alloc(0) : read.ring;
    expect(looksLikePgp(armor) && looksLikePgp(ring)).toBe(true);
    expect(readPgpKeys(ring)).toEqual(read);
    expect(readPgpKeys(Buffer.concat([armor, armor]))).toMatchObject({ keys: [bob, bob] });
    const commented = armor.toString().replace('BLOCK-----\n', 'BLOCK-----\nComment: not-a-key\n');
    expect(readPgpKeys(Buffer.from(commented))).toEqual(read);
  });

  it('holds no private key, and no rubbish', () => {
    const secret = Buffer.from(armor.toString().replaceAll('PUBLIC', 'PRIVATE'));
    expect(readPgpKeys(secret)).toMatch(/holds a private key/);
    expect(readPgpKeys(Buffer.from([0x95, 0, 1, 4]))).toMatch(/holds a private key/);
    expect(readPgpKeys(Buffer.from([0x99, 0xff, 0xff, 4]))).toMatch(/holds no public key/);
    expect(readPgpKeys(Buffer.from([0x99, 0, 1, 6]))).toMatch(/another version than 4/);
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        expect(readPgpKeys(Buffer.concat([Buffer.from([0x99]), bytes]))).toBeDefined();
      }),
    );
  });
});

describe('an SSH key', () => {
  it('is good for git only, and has the name of its comment', () => {
    expect(readSshSigner(`ssh-ed25519 ${blob} ann@site.org\n`)).toEqual({
      key: { kind: 'ssh', name: 'ann@site.org', fingerprint },
      line: `ann@site.org namespaces="git" ssh-ed25519 ${blob}`,
    });
    expect(readSshSigner(`ssh-ed25519 ${blob}`)?.key.name).toBe('unnamed');
    expect(readSshSigner(`ssh-ed25519 ${blob} cert-authority * "x`)?.line).toBe(
      `cert-authority_x namespaces="git" ssh-ed25519 ${blob}`,
    );
  });

  it('keeps what a line of allowed_signers says about it', () => {
    const line = `ann@site.org,bob namespaces="git,file",valid-before="20300101" ssh-ed25519 ${blob}`;
    expect(readSshSigner(`${line} a comment`)).toEqual({
      key: { kind: 'ssh', name: 'ann@site.org,bob', fingerprint },
      line,
    });
  });

  it.each(['', 'ssh-ed25519', `ssh-rsa ${blob}`, `ssh-ed25519 ${blob.slice(0, 30)}`, `a ssh-ed25519 ${blob}\nb`, 'x'])(
    'is not %j',
    (text) => {
      expect(readSshSigner(text)).toBeUndefined();
    },
  );

  it('may be one of many in a file, which tells where it is none', () => {
    expect(readSshSigners(`# keys\n\nssh-ed25519 ${blob} a\nb ssh-ed25519 ${blob}\n`)).toHaveLength(2);
    expect(readSshSigners(`ssh-ed25519 ${blob} a\nssh-ed25519\n`)).toMatch(/in line 2 neither/);
    expect(readSshSigners('# none\n')).toBe('holds no key');
    expect(readSshSigners('-----BEGIN OPENSSH PRIVATE KEY-----\n')).toMatch(/private key/);
  });
});

describe('what git tells of a signature', () => {
  const keys = { list: [bob], allowedSigners: '', pgpRing: Buffer.alloc(0) };
  const good = `[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG F0694FA4E89C3961 Bob\n[GNUPG:] VALIDSIG ${bob.fingerprint} 2026-01-01 1 0 4 0 22 8 00 `;

  it.each<[string, number, string, RegExp]>([
    ['a key that is not listed', 0, `${good}${'A'.repeat(40)}\n`, /does not know/],
    ['a failure all the same', 1, `${good}${bob.fingerprint}\n`, /does not know/],
    ['two signatures', 0, `${good}${bob.fingerprint}\n${good}${bob.fingerprint}\n`, /does not know/],
    ['a name that looks like a line of its own', 1, '[GNUPG:] BADSIG 1 [GNUPG:] GOODSIG 1 Bob\n', /was changed/],
    ['an expired signature', 1, '[GNUPG:] EXPSIG 1 Bob\n', /signature has expired/],
    ['no gpg', 1, 'error: cannot run gpg: No such file or directory\n', /there is no gpg; install gnupg/],
    [
      'a good SSH signature, and a failure',
      1,
      `Good "git" signature for a with ED25519 key ${fingerprint}\n`,
      /does not know/,
    ],
    ['something else', 1, 'error: what is this\n', /cannot be checked \(error: what is this\)/],
  ])('is not good with %s', (_, exitCode, told, problem) => {
    expect(judgeSignature(exitCode, told, keys)).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it('is good by the primary key, whichever subkey signed', () => {
    expect(judgeSignature(0, `${good}${bob.fingerprint}\n`, keys)).toEqual({ by: `${bob.name} (${bob.fingerprint})` });
  });

  it('is nothing where there is none', () => {
    expect(judgeSignature(1, '', keys)).toBeUndefined();
    expect(judgeSignature(1, 'error: no signature found\n', keys)).toBeUndefined();
  });
});
