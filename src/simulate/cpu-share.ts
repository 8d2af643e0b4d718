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

/** Who wants 2.5 CPUs is two busy processes and one that is half busy. */
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
  const owned = [...wants, foreign].flatMap((want, owner) => processes(want).map((busy) => ({ owner, busy })));
  const shares = shareEqually(
    ncpus,
    owned.map(({ busy }) => busy),
  );
  const given = Array<number>(wants.length + 1).fill(0);
  for (const [index, { owner }] of owned.entries()) given[owner] = (given[owner] ?? 0) + (shares[index] ?? 0);
  return { pilots: given.slice(0, -1), foreign: given.at(-1) ?? 0 };
}
