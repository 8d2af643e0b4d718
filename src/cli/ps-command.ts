import type { PilotStatus } from '../report/status.js';
import type { CliContext, CliOptions } from './context.js';
import { exitCodes } from './exit-codes.js';
import { knownPilots } from './known-pilots.js';
import { withoutControls } from '../config/source-line.js';
import { formatAge } from '../report/status-words.js';
import { formatTable } from './text-table.js';
import { jsonText } from './json-text.js';

const HEAD = ['NAME', 'ID', 'STATE', 'AGE', 'CPUS', 'IMAGE', 'REVISION'];
/** As much of a revision as people read. */
const REVISION_LETTERS = 12;

/** One line of the list. */
export function pilotRow({ name, id, state, ageSeconds, cpus, image, revision }: PilotStatus): readonly string[] {
  const short = revision.slice(0, REVISION_LETTERS);
  return [name, id, state, formatAge(ageSeconds), cpus === undefined ? '?' : String(cpus), image, short].map(
    withoutControls,
  );
}

/** Prints the pilots of this host. Returns the exit code; throws a CliError where nobody knows them (69, 77). */
export async function listPilots(
  context: CliContext,
  options: CliOptions & { readonly json?: boolean },
): Promise<number> {
  const { pilots, source, at, why } = await knownPilots(context, options);
  if (options.json === true) {
    context.out(jsonText({ apiVersion: 'plancton/v1', kind: 'PilotList', at, source, pilots }, 2));
    return exitCodes.ok;
  }
  if (why !== undefined) context.err(`${why}: this is what the container engine lists`);
  context.out(pilots.length === 0 ? 'no pilots' : formatTable([HEAD, ...pilots.map(pilotRow)]));
  return exitCodes.ok;
}
