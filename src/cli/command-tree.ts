import type { Command, Option } from 'commander';

/** A program or one of its commands, as data: what help, completion and manual pages are made from. */
export interface CommandNode {
  readonly name: string;
  readonly description: string;
  /** As in help: `[pilot]`. */
  readonly arguments: readonly ArgumentNode[];
  /** Its own, without those that hide. */
  readonly options: readonly OptionNode[];
  readonly commands: readonly CommandNode[];
}

export interface ArgumentNode {
  readonly name: string;
  readonly required: boolean;
  readonly choices: readonly string[];
}

export interface OptionNode {
  /** As in help: `-n, --tail <lines>`. */
  readonly flags: string;
  /** `-n` and `--tail`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined: it takes none. */
  readonly value: 'directory' | 'file' | 'other' | undefined;
  readonly choices: readonly string[];
}

/** By what stands for it in the help. */
function valueOf({ flags }: Option): OptionNode['value'] {
  const [, value] = /[<[](\w+)/.exec(flags) ?? [];
  if (value === undefined) return undefined;
  return value === 'dir' ? 'directory' : value === 'file' ? 'file' : 'other';
}

function readOption(option: Option): OptionNode {
  const names = [option.short, option.long].filter((name) => name != null);
  return {
    flags: option.flags,
    names,
    description: option.description,
    value: valueOf(option),
    choices: option.argChoices ?? [],
  };
}

/** All that may be said to a program. */
export function readCommandTree(command: Command): CommandNode {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => {
      return { name: argument.name(), required: argument.required, choices: argument.argChoices ?? [] };
    }),
    options: help.visibleOptions(command).map(readOption),
    commands: help.visibleCommands(command).map(readCommandTree),
  };
}
