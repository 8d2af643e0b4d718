import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { readHostFacts } from '../../../src/observe/host-facts.js';

describe('host facts', () => {
  it('tells the CPUs that are online, the memory and the boot', async () => {
    const procRoot = mkdtempSync(join(tmpdir(), 'plancton-facts-'));
    try {
      mkdirSync(join(procRoot, 'sys/kernel/random'), { recursive: true });
      writeFileSync(join(procRoot, 'sys/kernel/random/boot_id'), 'c0ffee\n');
      writeFileSync(join(procRoot, 'stat'), 'cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu2 1 2 3 4\n');
      const facts = await readHostFacts({ clock: systemClock, procRoot });
      expect(facts).toMatchObject({ hostname: hostname(), ncpus: 3, bootId: 'c0ffee' });
      expect(Math.abs(facts.ramBytes - totalmem())).toBeLessThan(1_000_000);
    } finally {
      rmSync(procRoot, { recursive: true });
    }
  });

  it('gets by without /proc, and never takes two boots for one', async () => {
    const facts = await readHostFacts({ clock: systemClock, procRoot: '/nonexistent' });
    const again = await readHostFacts({ clock: systemClock, procRoot: '/nonexistent' });
    expect(facts.ncpus).toBeGreaterThan(0);
    expect(facts.bootId).not.toBe('');
    expect(facts.bootId).not.toBe(again.bootId);
  });
});
