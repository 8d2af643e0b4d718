import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aStatus } from '../../support/a-status.js';

it('docs/status.md tells every field of a status', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'status.md'), 'utf8');
  const told = [...text.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(told.sort()).toEqual([...Object.keys(aStatus()), 'running', 'overdue'].sort());
});
