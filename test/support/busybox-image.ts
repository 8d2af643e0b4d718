import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PrivateEngine } from './private-engine.js';

const run = promisify(execFile);

/**
 * Makes an image of Debian's static busybox, without any registry. `changes` are Dockerfile instructions such as
 * `VOLUME /data`; `salt` makes the image differ from others.
 */
export async function importBusybox(
  engine: Pick<PrivateEngine, 'docker'>,
  tag = 'busybox:latest',
  { changes = [], salt = '' }: { readonly changes?: readonly string[]; readonly salt?: string } = {},
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'plancton-busybox-'));
  try {
    const tar = join(dir, 'image.tar');
    await buildRoot(join(dir, 'root'), salt);
    await run('tar', [
      '--create',
      '--file',
      tar,
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '-C',
      join(dir, 'root'),
      '.',
    ]);
    await engine.docker('import', ...changes.flatMap((change) => ['--change', change]), tar, tag);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function buildRoot(root: string, salt: string): Promise<void> {
  for (const name of ['bin', 'etc', 'root', 'tmp', 'usr', 'var']) await mkdir(join(root, name), { recursive: true });
  await copyFile('/bin/busybox', join(root, 'bin', 'busybox'));
  const applets = (await run('/bin/busybox', ['--list'])).stdout.split('\n').filter((name) => /^[\w[-]+$/.test(name));
  for (const applet of applets) {
    if (applet !== 'busybox') await symlink('busybox', join(root, 'bin', applet));
  }
  await writeFile(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(root, 'etc', 'salt'), salt);
}
