/** One line of a file in `/proc/pressure`: percent of the time in which tasks stood still, averaged over seconds. */
export interface StallAverages {
  readonly avg10: number;
  readonly avg60: number;
}

/**
 * The line `kind` of a file in `/proc/pressure` (kernel documentation, accounting/psi): `some` = at least one task waited,
 * `full` = all that had anything to do. Throws when the text is not what the kernel writes.
 */
export function parseStall(text: string, kind: 'some' | 'full'): StallAverages {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${kind} `)) ?? '';
  const average = (seconds: number) => {
    const found = new RegExp(String.raw` avg${seconds}=(\d{1,3}(?:\.\d{1,3})?)(?: |$)`).exec(line)?.[1];
    if (found === undefined) throw new Error(`/proc/pressure tells no ${kind} avg${seconds}`);
    return Number(found);
  };
  return { avg10: average(10), avg60: average(60) };
}
