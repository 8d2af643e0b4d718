import type { Command } from 'commander';

/** Adds `help [command]`: commander's own one shows its help without a word when there is no such command. */
export function addHelpCommand(parent: Command): void {
  parent
    .helpCommand(false)
    .command('help [command]')
    .description('display help for a command')
    .action((name: string | undefined) => {
      if (name === undefined) parent.help();
      const command = parent.commands.find((known) => known.name() === name);
      if (command === undefined) parent.error(`error: unknown command '${name}'`);
      command.help();
    });
}
