// Applies each mutant of the plan to a copy and runs the tests of the plan on it. Exit code 1 if one survives or does not apply.
// Usage: node test/mutants/run.js [words that the file and text must contain]
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { mutants as ofLoad } from './of-load.js';
import { mutants as ofPilots } from './of-pilots.js';

/**
 * Ways in which the plan could be wrong: [file, what it says, what it would say]. Each must make a test fail. The text
 * must be in its file exactly once, so that a mutant cannot outlive what it was made of.
 */
const mutants = [...ofLoad, ...ofPilots];
const root = join(import.meta.dirname, '..', '..');
const AT_ONCE = 2;
/** A mutant that never ends is caught too. */
const LIMIT_MS = 120_000;
/** The quick ones first: most mutants do not get past them. */
const SUITES = [['test/unit/plan'], ['test/scenario/closed-loop', 'test/scenario/properties']];

function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), 'plancton-mutants-'));
  for (const part of ['src', 'test', 'conf', '.config', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether the suite passes in the copy. */
function passes(copy, suite) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--config', '.config/vitest.config.ts', '--project', 'fast', '--bail', '1', ...suite];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: copy, stdio: 'ignore', timeout: LIMIT_MS });
    child.on('close', (code) => resolve(code === 0));
  });
}

/** Returns what became of a mutant: killed, survived or misfit (its text is not in the file exactly once). */
async function judge(copy, [file, from, to]) {
  const path = join('src', 'plan', `${file}.ts`);
  const original = readFileSync(join(root, path), 'utf8');
  if (original.split(from).length !== 2) return 'misfit';
  writeFileSync(
    join(copy, path),
    original.replace(from, () => to),
  );
  try {
    for (const suite of SUITES) if (!(await passes(copy, suite))) return 'killed';
    return 'survived';
  } finally {
    writeFileSync(join(copy, path), original);
  }
}

async function work(queue, results) {
  const copy = makeCopy();
  try {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const verdict = await judge(copy, mutant);
      results.push(verdict);
      if (verdict !== 'killed') process.stdout.write(`${verdict}: ${mutant.join(' | ')}\n`);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const words = process.argv.slice(2);
const queue = mutants.filter((mutant) => words.every((word) => mutant.join(' ').includes(word)));
const results = [];
const unharmed = makeCopy();
const sound = (await passes(unharmed, SUITES[0])) && (await passes(unharmed, SUITES[1]));
rmSync(unharmed, { recursive: true });
if (!sound) {
  process.stdout.write('the tests fail without any mutant: mend that first\n');
  process.exit(1);
}
await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue, results)));
const killed = results.filter((verdict) => verdict === 'killed').length;
process.stdout.write(`${killed} of ${results.length} mutants killed\n`);
process.exitCode = killed === results.length ? 0 : 1;
