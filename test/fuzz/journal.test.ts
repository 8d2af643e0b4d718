import { it } from 'vitest';
import { formatExplanation } from '../../src/cli/explain-text.js';
import { formatEntry } from '../../src/cli/history-command.js';
import { formatPostMortem, postMortemRow } from '../../src/cli/post-mortem-command.js';
import { account } from '../../src/journal/account.js';
import { biographies } from '../../src/journal/biographies.js';
import { toJournalEntry, toPostMortemEntry, type PostMortemEntry } from '../../src/journal/entry-shape.js';
import type { JournalEntry } from '../../src/journal/journal.js';
import { parseFields } from '../../src/journal/read-ring.js';
import { seenHost } from '../../src/journal/seen-host.js';
import type { DaemonEvent } from '../../src/report/event.js';
import { record } from '../../src/report/recorded-event.js';
import { pastResult, replayScenario } from '../../src/simulate/replay.js';
import { aPilot, aSample, aSpec, anObservation } from '../support/builders.js';
import { aConfig, aStory } from '../support/plan-builders.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';
import { mutateValue } from './mutate-value.js';

const ended = { exitCode: 1, oomKilled: false, startedWallMs: 1000, finishedWallMs: 61_000 };
const { capacity, holds, gates } = aStory(aConfig()).look();
const observation = anObservation({ sample: aSample({ own: 1, busy: 3 }), pilots: [aPilot()] });
const remove = { type: 'remove', pilot: aPilot(), reason: 'evicted', stopSeconds: 0, ageMs: 1 } as const;
const spawn = { type: 'spawn', reason: 'growth', spec: aSpec() } as const;

const events: readonly DaemonEvent[] = [
  { type: 'cycle', number: 3, uptimeMs: 1000, tookMs: 3, observation, plan: { actions: [], capacity, holds, gates } },
  { type: 'action-ended', atWallMs: 1, outcome: { action: remove, result: 'done', error: undefined, ended } },
  {
    type: 'action-ended',
    atWallMs: 1,
    outcome: { action: spawn, result: 'failed', error: { kind: 'refused', message: 'no' }, ended: undefined },
  },
  { type: 'config-refused', revision: 'a', problems: ['b'], kept: undefined },
  { type: 'limit-changed', holds },
  { type: 'pilot-seen', pilot: aPilot({ address: '10.0.0.1', imageId: 'sha256:1' }) },
];

function line(value: unknown, dice: Dice): string {
  const text = JSON.stringify(dice.chance(0.5) ? mutateValue(value, dice) : value);
  return dice.chance(0.15) ? mutateText(text, dice) : text;
}

/** As `history`, `explain` and `simulate --journal` make something of it. */
function use(entry: JournalEntry): void {
  if (formatEntry(entry) === '') throw new Error('nothing to show');
  if (entry.type === 'cycle') {
    const { mode, revision } = entry.observation;
    formatExplanation({ atWallMs: entry.at, mode, revision, ...entry.plan, trouble: undefined }, 0);
  }
  biographies([entry]);
  account([entry]);
  const seen = seenHost([entry]);
  const scenario = replayScenario(seen);
  if (scenario === undefined) return;
  const numbers = [scenario.ncpus, scenario.hours, scenario.pilot.seconds, ...Object.values(pastResult(seen, 10))];
  if (numbers.some(Number.isNaN)) throw new Error('there is no number');
}

it('the journal', () =>
  fuzz({
    name: 'journal line',
    make: (dice) => line({ at: 1_767_225_600_000, ...record(dice.pick(events)) }, dice),
    feed: (text) => {
      const fields = parseFields(text);
      const entry = fields && toJournalEntry(fields);
      if (entry !== undefined) use(entry);
      return entry !== undefined;
    },
  }));

it('post-mortems', () => {
  const entry: PostMortemEntry = {
    ...{ at: 1_767_225_600_000, pilot: aPilot(), cause: 'failed', ended, log: 'a\nb\n', said: undefined },
    usage: { cpuSeconds: 1, memoryPeakBytes: 2 },
  };
  return fuzz({
    name: 'post-mortem',
    make: (dice) => line(entry, dice),
    feed: (text) => {
      const fields = parseFields(text);
      const read = fields && toPostMortemEntry(fields);
      if (read !== undefined && (formatPostMortem(read) === '' || postMortemRow(read).length === 0))
        throw new Error('nothing to show');
      return read !== undefined;
    },
  });
});
