import { execFile } from 'node:child_process';
import type { CommandResult } from './context.js';

/** Runs a program with fixed arguments and no shell; killed at the deadline. A missing one has exit code 127. Never rejects. */
export function runCommand(file: string, args: readonly string[], deadlineMs: number): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: deadlineMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (error.code === 'ENOENT') resolve({ exitCode: 127, stdout, stderr: `${file}: command not found` });
      else
        resolve({ exitCode: typeof error.code === 'number' ? error.code : 1, stdout, stderr: stderr || error.message });
    });
  });
}
