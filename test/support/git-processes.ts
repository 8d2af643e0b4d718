import { readdir, readFile } from 'node:fs/promises';

async function pids(): Promise<string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

/** The command lines of all processes of this host that hold the text. */
export async function commandLinesWith(text: string): Promise<string[]> {
  const lines = await Promise.all(
    (await pids()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
}

/** Kills one process that has this `NAME=value` in its environment, if there is any. */
export async function killOneWith(variable: string): Promise<void> {
  for (const pid of await pids()) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(variable)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    return;
  }
}
