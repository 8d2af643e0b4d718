import type { Hold } from '../decision.js';
import type { PolicyNote, SeenMode } from '../model.js';
import type { Situation } from './situation.js';

/** How many pilots may be started for growth as far as one resource goes, and what to say if that is too few. */
export interface Gate {
  readonly most: number;
  readonly hold: Hold;
}

/**
 * Percent of the last minute in which some task waited for memory. On a host that has enough of it this stays near 0; Android's killer
 * of background work, made for the same purpose, steps in at 7 % (lmkd, `psi_partial_stall_ms`).
 */
export const MEMORY_PRESSURE = 10;
/**
 * Percent of the last minute in which all tasks that had anything to do waited for a disk. A backup alone on an idle host comes near 100 %,
 * the start of a handful of containers stays well below this.
 */
const IO_PRESSURE = 40;
/** Part of the inodes that stays free: without any, no container can be made however many bytes there are. */
const FREE_INODES = 0.01;
/** Part of the processes and threads that the kernel allows. */
const TASKS_IN_USE = 0.9;

/** What the operator forbids. A run directory that cannot be read may hold a drain. */
export function modeGate(mode: SeenMode): Hold | undefined {
  if (mode === 'active') return undefined;
  if (mode === 'force-stop') return { gate: 'force-stop', text: 'force-stop: pilots are being removed' };
  const text =
    mode === 'unknown'
      ? 'the run directory cannot be read and may hold a drain: none is started'
      : 'draining: running pilots finish, none is started';
  return { gate: 'draining', text };
}

/** What the owner of this host forbids, whatever the configuration asks for. */
export function policyGate({ refusals }: PolicyNote): Hold | undefined {
  return refusals.length === 0 ? undefined : { gate: 'policy', text: refusals.join('; ') };
}

/** `12.3 GB` or `250 MB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/**
 * What pilots have been promised and have not taken yet may be asked for at any time, so it counts as taken. The first pilot of a host
 * may be promised more than there is: a host smaller than `max_dock_mem` must run something too. `replacements` start in this cycle.
 */
function memoryGate({ config, observation, census, source }: Situation, replacements: number): Gate | undefined {
  const { memory } = observation.resources;
  if (config.min_free_mem === 0 || memory === null) return undefined;
  if (memory === undefined) return closed('memory', 'the memory of the host could not be read');
  const each = (source?.config ?? config).max_dock_mem;
  // What those without a limit hold is not told from what others have taken of theirs.
  const held = census.holders.some(({ memoryBytes }) => memoryBytes === 0) ? 0 : memory.pilotsBytes;
  const owed = Math.max(0, census.promisedBytes - held) + replacements * each;
  const spare = memory.availableBytes - owed - config.min_free_mem;
  const least = spare >= 0 && census.count + replacements === 0 ? 1 : 0;
  const fitting = each === 0 && spare >= 0 ? Infinity : Math.floor(spare / each);
  const text = `${bytesText(memory.availableBytes)} of memory available, pilots may yet take ${bytesText(owed)} of it, one more may take ${bytesText(each)}, min_free_mem ${bytesText(config.min_free_mem)}`;
  return { most: Math.max(least, fitting), hold: { gate: 'memory', text } };
}

/** Closed while there is too little room, or nobody knows how much there is. */
export function diskGate({ config, observation }: Pick<Situation, 'config' | 'observation'>): Gate | undefined {
  const { disk } = observation.resources;
  if (config.min_free_disk === 0 || disk === null) return undefined;
  if (disk === undefined) return closed('disk', "the room on the engine's disk could not be read");
  const { freeBytes, freeInodes, totalInodes } = disk;
  if (freeBytes < config.min_free_disk) {
    const text = `${bytesText(freeBytes)} free on the engine's disk, min_free_disk ${bytesText(config.min_free_disk)}`;
    return closed('disk', text);
  }
  if (freeInodes < FREE_INODES * totalInodes) {
    return closed('disk', `${freeInodes} of ${totalInodes} inodes free on the engine's disk, less than 1 %`);
  }
  return undefined;
}

function pressureGate({ observation }: Situation): Gate | undefined {
  const { pressure } = observation.resources;
  if (pressure === null) return undefined;
  if (pressure === undefined) return closed('pressure', 'the memory and I/O pressure of the host could not be read');
  const { memorySome60, ioFull60 } = pressure;
  if (memorySome60 >= MEMORY_PRESSURE) {
    return closed(
      'pressure',
      `tasks waited for memory in ${memorySome60} % of the last minute, limit ${MEMORY_PRESSURE} %`,
    );
  }
  if (ioFull60 >= IO_PRESSURE) {
    return closed(
      'pressure',
      `all tasks waited for a disk in ${ioFull60} % of the last minute, limit ${IO_PRESSURE} %`,
    );
  }
  return undefined;
}

/** Without any left nobody on the host can start anything, nor log in to mend it. */
function tasksGate({ observation }: Situation): Gate | undefined {
  const { tasks } = observation.resources;
  if (tasks === null) return undefined;
  if (tasks === undefined) return closed('tasks', 'the number of processes on the host could not be read');
  const { count, most } = tasks;
  if (count < TASKS_IN_USE * most) return undefined;
  return closed('tasks', `${count} of the ${most} processes and threads that the host can have, limit 90 %`);
}

function closed(gate: Hold['gate'], text: string): Gate {
  return { most: 0, hold: { gate, text } };
}

/**
 * What pilots need beside CPUs: the narrowest of memory, disk, pressure and processes; undefined = none of them limits growth. Unknown is not
 * enough: what could not be read closes its gate. Replacement passes: the pilot before it had the same.
 */
export function growthGate(situation: Situation, replacements: number): Gate | undefined {
  const gates = [
    memoryGate(situation, replacements),
    diskGate(situation),
    pressureGate(situation),
    tasksGate(situation),
  ];
  return gates.filter((gate) => gate !== undefined).reduce<Gate | undefined>(narrower, undefined);
}

function narrower(a: Gate | undefined, b: Gate): Gate {
  return a === undefined || b.most < a.most ? b : a;
}
