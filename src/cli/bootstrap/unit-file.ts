import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../write-file-atomic.js';
import { confine, type Confinement } from './confinement.js';
import type { Places } from './context.js';

export const serviceName = 'plancton.service';
export const sliceName = 'plancton.slice';
/** Removes what is past its time to live while the daemon is down. */
export const reapName = 'plancton-reap.service';
export const timerName = 'plancton-reap.timer';

/** One word of ExecStart: systemd would expand `%` and `$` and split at spaces. */
function quoteWord(word: string): string {
  const escaped = word
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replace(/["\\]/g, String.raw`\$&`);
  return /[\s'";\\]/.test(word) ? `"${escaped}"` : escaped;
}

function quoteAssignment(assignment: string): string {
  return `"${assignment.replaceAll('%', '%%').replace(/["\\]/g, String.raw`\$&`)}"`;
}

/** The service with its paths filled in; `engineHost` only where it is not the usual one. */
export function renderService(
  template: string,
  { nodeFile, planctonctlFile }: Pick<Places, 'nodeFile' | 'planctonctlFile'>,
  engineHost?: string,
): string {
  const environment = engineHost === undefined ? '' : `Environment=${quoteAssignment(`DOCKER_HOST=${engineHost}`)}\n`;
  return template
    .replace('@NODE@', () => quoteWord(nodeFile))
    .replace('@PLANCTONCTL@', () => quoteWord(planctonctlFile))
    .replace(/^ExecStart=/m, (line) => environment + line);
}

/** Writes all units; tells whether anything changed. Throws what the file system says. */
export function writeUnits(places: Places, confinement: Confinement, engineHost?: string): boolean {
  const template = (name: string) => readFileSync(join(places.templates, name), 'utf8');
  const wanted = {
    [serviceName]: confine(renderService(template(serviceName), places, engineHost), confinement),
    [sliceName]: template(sliceName),
    [reapName]: confine(renderService(template(reapName), places, engineHost), confinement),
    [timerName]: template(timerName),
  };
  mkdirSync(places.unitDir, { recursive: true, mode: 0o755 });
  let changed = false;
  for (const [name, text] of Object.entries(wanted)) {
    const file = join(places.unitDir, name);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
    writeFileAtomic(file, text, 0o644);
    changed = true;
  }
  return changed;
}
