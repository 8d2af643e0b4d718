import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EngineError } from '../../engine/container-engine.js';
import { CliError, exitCodes } from '../exit-codes.js';
import type { BootstrapContext } from './context.js';

/** What the pilots of the demo run. */
export const demoImage = 'busybox:latest';

const firstByteMs = 20_000;
const pullMs = 180_000;
const toolMs = 30_000;
const busyboxFiles = ['/bin/busybox', '/usr/bin/busybox', '/usr/lib/initramfs-tools/bin/busybox'];
const applets = ['sh', 'sleep', 'ls', 'cat', 'echo', 'date', 'ps', 'top'];
/** Where the host has no busybox. */
const plainPrograms = ['/bin/sh', '/bin/sleep'];

/** Makes sure the demo's image is on the host: as it is, else from its registry, else made of what the host has. */
export async function provideDemoImage(context: BootstrapContext): Promise<void> {
  if ((await context.engine.findImage(demoImage)) !== null) return;
  context.err(`fetching the image ${demoImage} for the demo's pilots`);
  const failure = await pull(context);
  if (failure === undefined) return;
  context.err(`${demoImage} cannot be fetched (${failure}); making it from what this host has`);
  await buildDemoImage(context);
}

/** Why it could not be pulled; undefined when it could. A registry that gives nothing for 20 s counts as absent. */
async function pull({ engine, clock }: BootstrapContext): Promise<string | undefined> {
  const giveUp = new AbortController();
  const done = new AbortController();
  const progress = { bytes: 0 };
  async function watch(): Promise<void> {
    await clock.sleep(firstByteMs, done.signal);
    if (progress.bytes > 0) await clock.sleep(pullMs - firstByteMs, done.signal);
    giveUp.abort();
  }
  void watch();
  try {
    await engine.pullImage(
      demoImage,
      ({ doneBytes }) => {
        progress.bytes = doneBytes;
      },
      giveUp.signal,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return error.message;
  } finally {
    done.abort();
  }
}

/** Makes the image from the host's busybox, or from its shell and `sleep`, with the libraries they need. */
export async function buildDemoImage(context: Pick<BootstrapContext, 'run' | 'importImage'>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'plancton-image-'));
  try {
    const root = join(dir, 'root');
    mkdirSync(join(root, 'tmp'), { recursive: true });
    const busybox = busyboxFiles.find((file) => existsSync(file));
    if (busybox === undefined) for (const file of plainPrograms) await copyProgram(context, file, root);
    else await copyBusybox(context, busybox, root);
    const tar = join(dir, 'image.tar');
    const packed = await context.run(
      'tar',
      ['--create', '--owner=0', '--group=0', '--numeric-owner', '--file', tar, '--directory', root, '.'],
      toolMs,
    );
    if (packed.exitCode !== 0) throw new CliError(exitCodes.cannotCreate, `cannot pack an image: ${packed.stderr}`);
    await context.importImage(tar, demoImage);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function copyBusybox(context: Pick<BootstrapContext, 'run'>, file: string, root: string): Promise<void> {
  await copyProgram(context, file, root, '/bin/busybox');
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
}

async function copyProgram(
  context: Pick<BootstrapContext, 'run'>,
  file: string,
  root: string,
  as = file,
): Promise<void> {
  copyInto(root, file, as);
  const { stdout } = await context.run('ldd', [file], toolMs);
  for (const library of librariesOf(stdout)) copyInto(root, library, library);
}

/** The absolute paths in what `ldd` printed; none for a program that needs no libraries. */
export function librariesOf(lddOutput: string): string[] {
  return [...lddOutput.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}

function copyInto(root: string, file: string, as: string): void {
  const target = join(root, as);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(file), target);
}
