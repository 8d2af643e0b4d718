import { expect, it } from 'vitest';
import { formatExplanation } from '../../../src/cli/explain-text.js';
import { pilotRow } from '../../../src/cli/ps-command.js';
import { formatStatus } from '../../../src/cli/status-text.js';
import { formatTop } from '../../../src/cli/top-text.js';
import { isStatus } from '../../../src/report/status-shape.js';
import type { Status } from '../../../src/report/status.js';
import { aStatus } from '../../support/a-status.js';

const whole = aStatus({
  gates: [{ gate: 'cap', most: 2, text: 'x' }],
  holds: [{ gate: 'cap', text: 'x' }],
  faults: [
    {
      ...{ code: 'memory', subject: undefined, since: '2026-01-01T00:00:00Z' },
      ...{ what: 'x', said: undefined, doing: 'x', cure: 'x' },
    },
  ],
});

type Fields = Record<string, unknown>;

/** The status once for each of its fields, which is left out or something else there. */
function broken(value: unknown, put: (value: unknown) => unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value as Fields).flatMap(([name, inner]) => {
    const others = Object.entries(value as Fields).filter(([other]) => other !== name);
    const replace = (by: unknown) => put(isList ? [by] : { ...Object.fromEntries(others), [name]: by });
    const rest = broken(inner, replace).map(([path, status]) => [`${name}.${path}`, status] as const);
    return [
      [`${name} left out`, put(isList ? [] : Object.fromEntries(others))],
      [`${name} a list`, replace([[]])],
      ...rest,
    ];
  });
}

it.each(broken(JSON.parse(JSON.stringify(whole)), (value) => value))(
  'a status with %s is refused, or can be shown',
  (_, value) => {
    if (!isStatus(value)) return;
    const status: Status = value;
    const { mode, capacity, gates, holds, config } = status;
    const view = { columns: 80, rows: 24, color: false, order: 'newest', agoSeconds: 1 } as const;
    const texts = [
      formatStatus(status, 0),
      formatTop({ ...view, status }).join('\n'),
      formatExplanation(
        { ...{ atWallMs: 0, mode, capacity, gates, holds, trouble: undefined }, revision: config.revision },
        0,
      ),
      ...status.pilots.flatMap(pilotRow),
    ];
    for (const text of texts) expect(text).toBeTypeOf('string');
  },
);

it('a whole status is one', () => {
  expect(isStatus(JSON.parse(JSON.stringify(whole)))).toBe(true);
});
