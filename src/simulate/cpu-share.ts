import type { YieldMode } from '../model.js';

/** A remainder this small is a sum of fractions that came out inexactly. CPUs. */
const TINY = 1e-9;

/** Gives `supply` CPUs to those who want some, all alike, nobody more than he wants. */
function shareEqually(supply: number, wants: readonly number[]): readonly number[] {
  const wanted = wants.reduce((sum, want) => sum + want, 0);
  if (wanted <= supply) return wants;
  const given = wants.map(() => 0);
  const order = wants.map((want, index) => ({ want, index })).sort((a, b) => a.want - b.want);
  let left = supply;
  order.forEach(({ want, index }, rank) => {
    const share = Math.min(want, left / (order.length - rank));
    given[index] = share;
    left -= share;
  });
  return given;
}

/** A foreign load of 2.5 CPUs is two busy processes and one that is half busy. */
function processes(cpus: number): readonly number[] {
  const whole = Math.floor(cpus + TINY);
  const part = cpus - whole;
  return [...Array<number>(whole).fill(1), ...(part > TINY ? [part] : [])];
}

/** Who gets what, in CPUs. */
export interface CpuShares {
  /** In the order of the wishes. */
  readonly pilots: readonly number[];
  readonly foreign: number;
}

/**
 * Shares `ncpus` CPUs as the kernel does. Where pilots yield by a cgroup of the lowest weight, they get what others leave; else
 * every busy process gets the same. `wants`: what each pilot could use; `foreign`: what others could, at most `ncpus`.
 */
export function shareCpus(ncpus: number, wants: readonly number[], foreign: number, yields: YieldMode): CpuShares {
  if (yields === 'cgroup') return { pilots: shareEqually(ncpus - foreign, wants), foreign };
  const shares = shareEqually(ncpus, [...wants, ...processes(foreign)]);
  return {
    pilots: shares.slice(0, wants.length),
    foreign: shares.slice(wants.length).reduce((sum, share) => sum + share, 0),
  };
}
