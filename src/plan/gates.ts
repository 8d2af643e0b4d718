import type { Hold } from '../decision.js';
import type { PolicyNote, SeenMode } from '../model.js';
import { isStale } from './capacity.js';
import type { Situation } from './situation.js';

/** How many pilots may be started as far as one thing goes (`Infinity`: it sets no limit), and what to say of it. */
export interface Gate {
  readonly most: number;
  /** Of one that opens by itself: ms until then. */
  readonly leftMs?: number;
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

function closed(gate: Hold['gate'], text: string): Gate {
  return { most: 0, hold: { gate, text } };
}

function open(gate: Hold['gate'], text: string): Gate {
  return { most: Infinity, hold: { gate, text } };
}

/** Whether it forbids all starts. */
export function isShut({ most }: Gate): boolean {
  return most === 0;
}

/** What the operator forbids. A run directory that cannot be read may hold a drain. */
export function modeGate(mode: SeenMode): Gate {
  switch (mode) {
    case 'active':
      return open('draining', 'active: pilots are started as they fit');
    case 'force-stop':
      return closed('force-stop', 'force-stop: pilots are being removed');
    case 'unknown':
      return closed('draining', 'the run directory cannot be read and may hold a drain: none is started');
    case 'drain':
    case 'drain-stop':
      return closed('draining', 'draining: running pilots finish, none is started');
  }
}

/** What the owner of this host forbids, whatever the configuration asks for. */
export function policyGate({ refusals }: PolicyNote): Gate {
  return refusals.length === 0
    ? open('policy', 'the policy of this host allows what the configuration asks for')
    : closed('policy', refusals.join('; '));
}

/** Starts go by the load of the host, and an old one is none. `newestMs`: monotonic, when the newest sample ended. */
export function loadGate({ config, observation }: Situation, newestMs: number | undefined): Gate {
  if (newestMs === undefined) return closed('no-sample', 'the load of the host is not known yet');
  if (isStale(config, newestMs, observation.at.monoMs)) {
    return closed('stale-sample', 'the load of the host could not be read for three loops');
  }
  const seconds = Math.round((observation.at.monoMs - newestMs) / 1000);
  return open('stale-sample', `the load of the host was read ${seconds} s ago`);
}

/** Whether there is anything to start pilots from. */
export function imageGate({ config, observation, source }: Situation): Gate {
  const { image, imageFailure } = observation;
  const wanted = `image ${config.docker_image}`;
  if (source !== undefined) {
    const other =
      image === null ? ` is not on this host; pilots are started from ${source.config.docker_image}` : ' is here';
    return open('image', `${wanted}${other}`);
  }
  if (image === undefined) {
    const why = imageFailure === undefined ? '' : `: ${imageFailure.message}`;
    return closed('image', `${wanted} could not be looked up${why}`);
  }
  const disk = diskGate({ config, observation });
  return closed(
    'image',
    `${wanted} is not on this host${isShut(disk) ? `, and is not pulled: ${disk.hold.text}` : ''}`,
  );
}

/** `12.3 GB` or `250 MB`. */
export function bytesText(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/**
 * What pilots have been promised and have not taken yet may be asked for at any time, so it counts as taken. The first pilot of a host
 * may be promised more than there is: a host smaller than `max_dock_mem` must run something too. `replacements` start in this cycle.
 */
function memoryGate({ config, observation, census, source }: Situation, replacements: number): Gate {
  const { memory } = observation.resources;
  if (config.min_free_mem === 0 || memory === null) return open('memory', 'memory is not looked at');
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
export function diskGate({ config, observation }: Pick<Situation, 'config' | 'observation'>): Gate {
  const { disk } = observation.resources;
  if (config.min_free_disk === 0 || disk === null) return open('disk', "the engine's disk is not looked at");
  if (disk === undefined) return closed('disk', "the room on the engine's disk could not be read");
  const { freeBytes, freeInodes, totalInodes } = disk;
  const bytes = `${bytesText(freeBytes)} free on the engine's disk, min_free_disk ${bytesText(config.min_free_disk)}`;
  if (freeBytes < config.min_free_disk) return closed('disk', bytes);
  if (freeInodes < FREE_INODES * totalInodes) {
    return closed('disk', `${freeInodes} of ${totalInodes} inodes free on the engine's disk, less than 1 %`);
  }
  return open('disk', bytes);
}

function pressureGate({ observation }: Situation): Gate {
  const { pressure } = observation.resources;
  if (pressure === null) return open('pressure', 'the kernel tells no memory and I/O pressure');
  if (pressure === undefined) return closed('pressure', 'the memory and I/O pressure of the host could not be read');
  const { memorySome60, ioFull60 } = pressure;
  const memory = `tasks waited for memory in ${memorySome60} % of the last minute, limit ${MEMORY_PRESSURE} %`;
  const io = `all tasks waited for a disk in ${ioFull60} % of the last minute, limit ${IO_PRESSURE} %`;
  if (memorySome60 >= MEMORY_PRESSURE) return closed('pressure', memory);
  return ioFull60 >= IO_PRESSURE ? closed('pressure', io) : open('pressure', `${memory}; ${io}`);
}

/** Without any left nobody on the host can start anything, nor log in to mend it. */
function tasksGate({ observation }: Situation): Gate {
  const { tasks } = observation.resources;
  if (tasks === null) return open('tasks', 'the kernel does not tell how many processes there can be');
  if (tasks === undefined) return closed('tasks', 'the number of processes on the host could not be read');
  const { count, most } = tasks;
  const text = `${count} of the ${most} processes and threads that the host can have, limit 90 %`;
  return count < TASKS_IN_USE * most ? open('tasks', text) : closed('tasks', text);
}

/**
 * What pilots need beside CPUs. Unknown is not enough: what could not be read closes its gate. Replacement passes: the pilot before it
 * had the same.
 */
export function growthGates(situation: Situation, replacements: number): readonly Gate[] {
  return [memoryGate(situation, replacements), diskGate(situation), pressureGate(situation), tasksGate(situation)];
}
