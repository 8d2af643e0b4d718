import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDirectory } from '../../../support/temp-directory.js';

it('shows no password in the process list once it runs, and knows it all the same', () => {
  const dir = tempDirectory();
  const root = join(import.meta.dirname, '..', '..', '..', '..');
  for (const folder of ['bin', 'dist/cli']) mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  const bin = join(dir, 'bin', 'plancton-bootstrap.js');
  copyFileSync(join(root, 'bin', 'plancton-bootstrap.js'), bin);
  writeFileSync(
    join(dir, 'dist/cli/plancton-bootstrap.js'),
    `import { readFileSync } from 'node:fs';
     console.log(JSON.stringify([readFileSync('/proc/self/cmdline', 'latin1'), process.argv.at(-1)]));`,
  );
  const url = 'https://me:hunter2@host/conf';
  const [shown, known] = JSON.parse(execFileSync(process.execPath, [bin, url], { encoding: 'utf8' })) as string[];
  expect(shown).toMatch(/^plancton-bootstrap/);
  expect(shown).not.toContain('hunter2');
  expect(known).toBe(url);
});
