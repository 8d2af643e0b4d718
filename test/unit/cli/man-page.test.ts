import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import * as bootstrap from '../../../src/cli/bootstrap/program.js';
import { readCommandTree } from '../../../src/cli/command-tree.js';
import { manPage } from '../../../src/cli/man-page.js';
import * as planctonctl from '../../../src/cli/program.js';
import { makeBootstrapWorld } from '../../support/bootstrap-context.js';
import { recordingContext } from '../../support/cli-context.js';

const root = join(import.meta.dirname, '..', '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
const nothing = () => undefined;

function pageOf(name: 'planctonctl' | 'plancton-bootstrap'): string {
  const program = new Command(name);
  if (name === 'planctonctl') planctonctl.describe(program, recordingContext({ version }), nothing);
  else bootstrap.describe(program, makeBootstrapWorld().context, nothing);
  const { epilogue } = name === 'planctonctl' ? planctonctl : bootstrap;
  return manPage({ program: readCommandTree(program), version, epilogue });
}

describe.each(['planctonctl', 'plancton-bootstrap'] as const)('the manual page of %s', (name) => {
  it('is the one that is shipped', async () => {
    await expect(pageOf(name)).toMatchFileSnapshot(join(root, 'docs', 'man', `${name}.8`));
  });

  it('is one that troff has nothing to say about, and man can show', () => {
    const file = join(root, 'docs', 'man', `${name}.8`);
    const shown = execFileSync('groff', ['-man', '-Tutf8', '-ww', '-P-cbou', file], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(shown).toMatch(new RegExp(`^NAME\\n +${name} +- `, 'm'));
    expect(shown).toMatch(/^SYNOPSIS\n/m);
    expect(shown).toMatch(/^OPTIONS\n/m);
  });
});

it('has each command with its options, and what help says at its end', () => {
  const page = pageOf('planctonctl');
  expect(page).toContain('.B planctonctl config check [file]\n');
  expect(page).toContain('.B \\-n, \\-\\-tail <lines>\n');
  expect(page).toMatch(/^\.SH FILES\n/m);
  expect(page).toMatch(/^\.SH EXIT CODES\n/m);
  expect(page).not.toContain('detached');
});

it('writes what troff would take for its own', () => {
  const program = { name: 'x', description: '', arguments: [], options: [], commands: [] };
  const page = manPage({ program, version: '1', epilogue: 'Files: a\\b\n.dotted\n' });
  expect(page).toContain('a\\eb\n\\&.dotted\n');
});
