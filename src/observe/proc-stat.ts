/** CPU time of a host since boot, in ticks (only ratios of these are used). */
export interface CpuTicks {
  /** Online CPUs. */
  readonly cpus: number;
  readonly busy: number;
  readonly idle: number;
  readonly iowait: number;
}

/**
 * Sorts the lines of `/proc/stat` into busy, idle and iowait. Steal is busy: somebody else has the CPU. Guest time is
 * left out, since the kernel counts it in user time already. Throws when the text is not what the kernel writes.
 */
export function parseProcStat(text: string): CpuTicks {
  const total = /^cpu +(\d{1,20}(?: +\d{1,20})+)/m.exec(text)?.[1];
  const cpus = text.match(/^cpu\d+ /gm)?.length ?? 0;
  if (total === undefined || cpus === 0) throw new Error('/proc/stat has no CPU lines');
  const ticks = total.split(/ +/).map(Number);
  const sum = (...fields: readonly number[]) =>
    fields.reduce((ticksSoFar, field) => ticksSoFar + (ticks[field] ?? 0), 0);
  // user nice system idle iowait irq softirq steal guest guest_nice; old kernels write fewer.
  return { cpus, busy: sum(0, 1, 2, 5, 6, 7), idle: sum(3), iowait: sum(4) };
}
