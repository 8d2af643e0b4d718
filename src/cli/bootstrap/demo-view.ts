import type { PilotStatus, Status } from '../../report/status.js';
import { withoutControls } from '../../config/source-line.js';
import { formatAge } from '../../report/status-words.js';
import { statusLine } from '../status-text.js';
import type { BootstrapContext } from './context.js';

/** Shows pilots coming and going: a table that is drawn again on a terminal, one line per change elsewhere. */
export interface DemoView {
  show(status: Status): void;
}

const clearScreen = '\u001B[H\u001B[J';

/** The whole picture, to be drawn over the last one. */
export function drawTable(status: Status): string {
  const row = (name: string, state: string, age: string) => `${name.padEnd(40)} ${state.padEnd(10)} ${age}`;
  const pilots = status.pilots.map(({ name, state, ageSeconds }) =>
    row(withoutControls(name), state, formatAge(ageSeconds)),
  );
  const { spawned, ended } = status.totals;
  return [
    `Plancton on ${status.hostname}: ${statusLine(status)}; ${spawned} started, ${ended} ended so far`,
    '',
    row('PILOT', 'STATE', 'AGE'),
    ...pilots,
    '',
    ...status.holds.map(({ text }) => withoutControls(text)),
    'Ctrl-C ends the demo and leaves nothing behind.',
  ].join('\n');
}

/** What changed between two looks, in words. */
export function describeChanges(before: readonly PilotStatus[], now: readonly PilotStatus[]): string[] {
  const running = (pilots: readonly PilotStatus[]) =>
    new Set(pilots.filter(({ state }) => state === 'running').map(({ name }) => name));
  const [old, fresh] = [running(before), running(now)];
  return [
    ...[...fresh].filter((name) => !old.has(name)).map((name) => `started ${name}`),
    ...[...old].filter((name) => !fresh.has(name)).map((name) => `ended   ${name}`),
  ].map(withoutControls);
}

export function createDemoView({
  out,
  stdoutIsTerminal,
}: Pick<BootstrapContext, 'out' | 'stdoutIsTerminal'>): DemoView {
  let pilots: readonly PilotStatus[] | undefined;
  return {
    show(status) {
      if (stdoutIsTerminal) {
        out(clearScreen + drawTable(status));
        return;
      }
      if (pilots === undefined) out('demo: pilots come and go until Ctrl-C, which leaves nothing behind');
      const count = status.pilots.filter(({ state }) => state === 'running').length;
      for (const change of describeChanges(pilots ?? [], status.pilots)) out(`${change} (${count} run)`);
      pilots = status.pilots;
    },
  };
}
