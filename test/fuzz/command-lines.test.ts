import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, onTestFinished } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { recordingContext } from '../support/cli-context.js';
import { tempDirectory } from '../support/temp-directory.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';

/** Verbs that come back at once where nothing runs. */
const VERBS = [
  ['status'], ['status', '--json'], ['stop'], ['drain'], ['drain-stop'], ['resume'], ['reload'], ['version'], ['--version'], ['--help'], ['help'],
  ['config', 'check'], ['config', 'show'], ['config', 'schema'], ['config', 'help'], ['policy', 'check'], ['policy', 'show'], ['policy', 'help'],
  ['config', 'check', 'good.yaml'], ['config', 'check', 'bad.yaml'], ['config', 'show', 'missing.yaml'], ['policy', 'check', 'good.yaml'],
]; // prettier-ignore
const OPTIONS = [
  '--user', '--json', '--rundir=run', '--confdir=conf', '--logdir=log', '--pidfile=run/p.pid', '--policyfile=policy.yaml', '--engine=unix:///nowhere.sock',
  '--engine=tcp://[::1]:1', '--engine=ftp://x', '--rundir', '--rundir=', '--log-format=json', '--log-format=xml', '--', '-', '--no-json', '-h', '-V', '--__proto__=1',
]; // prettier-ignore
const KNOWN_CODES = new Set([0, 1, 3, 4, 64, 66, 69, 73, 75, 77, 78]);

function line(dice: Dice): readonly string[] {
  const words = [...dice.pick(VERBS)];
  for (const option of dice.some(OPTIONS, 0.05)) words.splice(dice.below(words.length + 1), 0, option);
  if (dice.chance(0.35)) {
    const at = dice.below(words.length);
    // A slash could lead out of the folder of this test.
    words[at] = mutateText(words[at] ?? '', dice)
      .replaceAll('/', '')
      .replaceAll('..', '');
  }
  return words;
}

it('command lines', async () => {
  const home = tempDirectory();
  const before = process.cwd();
  process.chdir(home);
  onTestFinished(() => {
    process.chdir(before);
  });
  mkdirSync('conf');
  writeFileSync('good.yaml', 'max_docks: 3\n');
  writeFileSync('bad.yaml', 'max_docs: [3\n');
  writeFileSync(join('conf', 'config.yaml'), 'main_sleep: 10s\n');
  await fuzz({
    name: 'command line',
    make: line,
    feed: async (words) => {
      // `stop` is one letter away from `top`, which goes on for as long as somebody reads.
      const readerGone = AbortSignal.abort();
      const context = recordingContext({ uid: 1000, home, readerGone, env: { PATH: '/usr/bin' } });
      const code = await runProgram(context, words);
      if (!KNOWN_CODES.has(code)) throw new Error(`exit code ${code}: ${context.stderr.join('\n')}`);
      if (code !== 0 && context.stdout.length + context.stderr.length === 0)
        throw new Error(`exit code ${code}, and not a word`);
      return code !== 64;
    },
  });
});
