import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { CliError } from '../../src/cli/exit-codes.js';
import { hasPidFile } from '../../src/cli/pid-file.js';
import { lockHolder } from '../../src/cli/process-lock.js';
import { readStatusFile } from '../../src/cli/status-file.js';
import { formatStatus, statusLine } from '../../src/cli/status-text.js';
import { readRunMode } from '../../src/observe/run-mode.js';
import { aStatus } from '../support/a-status.js';
import { tempDirectory } from '../support/temp-directory.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';
import { mutateValue } from './mutate-value.js';

it('the status file', () => {
  const runDir = tempDirectory();
  return fuzz({
    name: 'status file',
    make: (dice) => {
      const status = dice.chance(0.5) ? mutateValue(aStatus(), dice) : aStatus();
      const text = JSON.stringify(status);
      return dice.chance(0.15) ? mutateText(text, dice) : text;
    },
    feed: (text) => {
      writeFileSync(join(runDir, 'status.json'), text);
      const status = readStatusFile(runDir);
      if (status === undefined) return false;
      if (typeof statusLine(status) !== 'string' || formatStatus(status, 0) === '') throw new Error('nothing to show');
      return true;
    },
  });
});

const REQUESTS = ['drain', 'stop', 'force-stop', 'lock', 'junk', 'drain.tmp'];

it('the run directory', () => {
  const runDir = join(tempDirectory(), 'run');
  return fuzz({
    name: 'run directory',
    // A new folder for each.
    share: 0.1,
    make: (dice) => ({
      there: !dice.chance(0.1),
      files: dice.some(REQUESTS, 0.3),
      folders: dice.some(REQUESTS, 0.1),
      pid: dice.chance(0.3) ? mutateText('12345\n', dice) : `${dice.below(99_999)}\n`,
    }),
    feed: async ({ there, files, folders, pid }) => {
      rmSync(runDir, { recursive: true, force: true });
      if (!there)
        return readRunMode(runDir).then(
          () => true,
          () => false,
        );
      mkdirSync(runDir);
      for (const name of folders) mkdirSync(join(runDir, name));
      for (const name of files) if (!folders.includes(name)) writeFileSync(join(runDir, name), pid);
      writeFileSync(join(runDir, 'plancton.pid'), pid);
      hasPidFile(join(runDir, 'plancton.pid'));
      const mode = await readRunMode(runDir);
      const asked = [...files, ...folders];
      if (asked.includes('force-stop') !== (mode === 'force-stop')) throw new Error(`the mode is ${mode}`);
      try {
        return lockHolder(runDir) === undefined;
      } catch (error) {
        if (error instanceof CliError) return false;
        throw error;
      }
    },
  });
});
