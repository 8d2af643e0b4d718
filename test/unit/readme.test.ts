import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderConfigTable } from '../../src/config/render.js';

const top = join(import.meta.dirname, '..', '..');
const readmeFile = join(top, 'README.md');

function sourceFiles(): string[] {
  return readdirSync(join(top, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(top, join(entry.parentPath, entry.name)))
    .sort();
}

/** Paths in the map: a line in bold names the folder of the files listed below it. */
function mappedFiles(readme: string): string[] {
  const map = readme.slice(readme.indexOf('<!-- file map: begin'), readme.indexOf('<!-- file map: end'));
  let folder = '';
  const files: string[] = [];
  for (const line of map.split('\n')) {
    folder = /^\*\*(\S+)\/\*\*/.exec(line)?.[1] ?? folder;
    const file = /^- `([^`\s]+\.[a-z]+)`: \S/.exec(line)?.[1];
    if (file !== undefined) files.push(`${folder}/${file}`);
  }
  return files.sort();
}

describe('the README', () => {
  it('tells every file of the code in one line', () => {
    expect(mappedFiles(readFileSync(readmeFile, 'utf8'))).toEqual(sourceFiles());
  });

  // Written by `npx vitest -u`, never by hand.
  it('has the table of keys as they are', async () => {
    const readme = readFileSync(readmeFile, 'utf8');
    const from = readme.indexOf('-->', readme.indexOf('<!-- config table: begin')) + 3;
    const end = readme.indexOf('<!-- config table: end');

    const table = `\n\n<!-- prettier-ignore -->\n${renderConfigTable().trim()}\n\n`;

    await expect(readme.slice(0, from) + table + readme.slice(end)).toMatchFileSnapshot(readmeFile);
  });
});
