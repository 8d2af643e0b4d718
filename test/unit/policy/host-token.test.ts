import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { HostToken } from '../../../src/policy/host-token.js';
import { createFakeClock } from '../../support/fake-clock.js';
import { tempDirectory } from '../../support/temp-directory.js';

const token = 'correct-horse-battery';
const uid = process.getuid?.() ?? 0;

function checkToken(file: string, owner: number, shown: string) {
  return new HostToken(systemClock, owner).check(file, shown);
}

function aFile(text = `${token}\n`, mode = 0o600): string {
  const file = join(tempDirectory(), 'token');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('the token of a host', () => {
  it('is right or wrong', async () => {
    const file = aFile();
    expect(await checkToken(file, uid, token)).toBe('right');
    for (const shown of ['', token.slice(1), `${token}x`, token.toUpperCase()]) {
      expect(await checkToken(file, uid, shown)).toBe('wrong');
    }
  });

  it('is none where others can read it, or it can be guessed, or is no file', async () => {
    const folder = tempDirectory();
    const [link, directory] = [join(folder, 'link'), join(folder, 'directory')];
    symlinkSync(aFile(), link);
    mkdirSync(directory);
    const missing = join(folder, 'missing');
    for (const file of [
      'none',
      missing,
      link,
      directory,
      aFile(token, 0o640),
      aFile(token, 0o604),
      aFile('short\n'),
      aFile('with blanks between them'),
    ]) {
      expect(await checkToken(file, uid, token), file).toBe('unknown');
    }
    expect(await checkToken(aFile('x'.repeat(5000)), uid, 'x'.repeat(5000))).toBe('unknown');
    expect(await checkToken(aFile(' \n'), uid, '')).toBe('unknown');
  });

  it('is not known while its file hangs, which is read once for all who ask', async () => {
    const clock = createFakeClock();
    let read: (found: string) => void = () => undefined;
    let reads = 0;
    const hanging = new HostToken(clock, uid, () => {
      reads += 1;
      return new Promise((resolve) => (read = resolve));
    });
    const asked = Array.from({ length: 100 }, () => hanging.check('/mnt/token', token));
    await clock.advance(2000);
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['unknown']));
    expect(reads).toBe(1);
    const later = hanging.check('/mnt/token', token);
    read(token);
    expect(await later).toBe('right');
  });

  it.runIf(uid === 0)('is none where it belongs to somebody else', async () => {
    const file = aFile();
    chownSync(file, 65_534, 65_534);
    expect(await checkToken(file, 0, token)).toBe('unknown');
    expect(await checkToken(file, 65_534, token)).toBe('right');
  });
});
