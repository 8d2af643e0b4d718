import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.js';

/** Where a program prints one line, or several. */
interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** What sets one program apart from another. */
export interface ProgramOptions {
  readonly name: string;
  /** Adds all that may be said on the command line; `finish` is told the exit code of what ran. */
  readonly describe: (program: Command, finish: (exitCode: number) => void) => void;
  /** What to print and return for what was thrown. */
  readonly explain: (error: unknown) => { readonly exitCode: number; readonly text: string };
}

/** Runs one command line (without the program's name); returns the exit code. Never rejects: what goes wrong is told on stderr. */
export async function runCommandLine(
  output: Output,
  { name, describe, explain }: ProgramOptions,
  args: readonly string[],
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  // First of all: verbs take these settings over when they are added.
  const program = new Command(name).exitOverride().configureOutput({
    writeOut: (text) => {
      output.out(text.trimEnd());
    },
    writeErr: (text) => {
      output.err(text.trimEnd());
    },
  });
  describe(program, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help that was asked for has exit code 0; commander has told everything else already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const explained = explain(error);
    output.err(`${name}: ${explained.text}`);
    return explained.exitCode;
  }
}
