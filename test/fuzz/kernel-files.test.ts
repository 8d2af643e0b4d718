import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { readCpuNs, readMemoryBytes, readWeight } from '../../src/observe/cgroup-tree.js';
import { readIoWeight } from '../../src/observe/io-weight.js';
import { onPrivateMount } from '../../src/observe/mount-propagation.js';
import { parseStall } from '../../src/observe/pressure-stall.js';
import { parseProcStat } from '../../src/observe/proc-stat.js';
import { tempDirectory } from '../support/temp-directory.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';

function numbers(dice: Dice, count: number): string {
  return Array.from({ length: count }, () => dice.below(10 ** (1 + dice.below(9)))).join(' ');
}

function maybeBroken(text: string, dice: Dice): string {
  return dice.chance(0.5) ? mutateText(text, dice) : text;
}

/** Figures that can be computed with, or a plain refusal. */
function expectFigures(figures: readonly number[]): void {
  const strange = figures.find((figure) => !(figure >= 0 && Number.isFinite(figure)));
  if (strange !== undefined) throw new Error(`one figure is ${strange}`);
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error && error.message.startsWith('/proc/');
}

it('/proc/stat', () =>
  fuzz({
    name: '/proc/stat',
    make: (dice) => {
      const cpus = dice.times(8, () => 0).map((_, index) => `cpu${index} ${numbers(dice, 10)}`);
      const text = [`cpu  ${numbers(dice, 4 + dice.below(7))}`, ...cpus, 'cpu99 1 2 3 4', 'intr 1 2', 'ctxt 5'].join(
        '\n',
      );
      return maybeBroken(text, dice);
    },
    feed: (text) => {
      try {
        expectFigures(Object.values(parseProcStat(text)));
        return true;
      } catch (error) {
        if (isRefusal(error)) return false;
        throw error;
      }
    },
  }));

it('/proc/pressure', () =>
  fuzz({
    name: '/proc/pressure',
    make: (dice) => {
      const line = (kind: string) =>
        `${kind} avg10=${dice.below(99)}.${dice.below(99)} avg60=0.00 avg300=1.2 total=${dice.below(1e9)}`;
      return maybeBroken(`${line('some')}\n${line('full')}\n`, dice);
    },
    feed: (text) => {
      try {
        const { avg10, avg60 } = parseStall(text, 'some');
        expectFigures([avg10, avg60]);
        return true;
      } catch (error) {
        if (isRefusal(error)) return false;
        throw error;
      }
    },
  }));

it('/proc/self/mountinfo', () =>
  fuzz({
    name: '/proc/self/mountinfo',
    make: (dice) => {
      const lines = dice.times(
        5,
        () =>
          `${dice.below(99)} 1 0:${dice.below(99)} / ${dice.pick(['/', '/cvmfs', '/srv/a\\040b'])} rw ${dice.pick(['shared:1 ', 'master:2 ', ''])}- ext4 /dev/vda rw`,
      );
      return maybeBroken(lines.join('\n'), dice);
    },
    feed: (text) => onPrivateMount(text, ['/cvmfs/x', '/srv/a b', '/']).length < 4,
  }));

it('files of control groups', () => {
  const root = tempDirectory();
  const folders = ['cpu', 'cpuacct', 'memory', 'blkio', '.'].map((name) => join(root, name, 'plancton'));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const names = [
    'cpuacct.usage',
    'cpu.shares',
    'cpu.weight',
    'cpu.idle',
    'cpu.stat',
    'memory.current',
    'memory.stat',
    'memory.usage_in_bytes',
    'io.weight',
    'io.bfq.weight',
    'blkio.bfq.weight',
    'blkio.weight',
  ];
  return fuzz({
    name: 'control group',
    make: (dice) => {
      const text = dice.pick([
        `${dice.below(1e9)}\n`,
        `usage_usec ${dice.below(1e9)}\nuser_usec 1\nsystem_usec 2\n`,
        `default ${dice.below(1000)}\n`,
        `inactive_file ${dice.below(1e6)}\ntotal_inactive_file 7\nactive_file 3\n`,
        'max\n',
      ]);
      return {
        version: dice.pick([1, 2] as const),
        folder: dice.pick(folders),
        name: dice.pick(names),
        text: maybeBroken(text, dice),
      };
    },
    feed: ({ version, folder, name, text }) => {
      writeFileSync(join(folder, name), text);
      const tree = { root, version };
      expectFigures([readCpuNs(tree, 'plancton') ?? 0, readMemoryBytes(tree, 'plancton') ?? 0]);
      return [readWeight(tree, 'plancton'), readIoWeight(tree, 'plancton')].every((weight) => weight?.text !== '');
    },
  });
});
