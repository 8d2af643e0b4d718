import type { CommandNode, OptionNode } from './command-tree.js';

export interface ManPage {
  readonly program: CommandNode;
  readonly version: string;
  /** What help says at its end: paragraphs that begin with a title and a colon. */
  readonly epilogue: string;
}

/** As it is, whatever troff makes of backslashes, dashes and lines that begin with a dot. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}

function bold(text: string): string {
  return `.B ${escape(text)}`;
}

function argumentsText({ arguments: wanted }: CommandNode): string {
  return wanted.map(({ name, required }) => (required ? ` <${name}>` : ` [${name}]`)).join('');
}

function optionLines({ flags, description, choices }: OptionNode): readonly string[] {
  const listed = choices.length === 0 ? '' : ` (${choices.join(', ')})`;
  return ['.TP', bold(flags), escape(`${description}${listed}`)];
}

/** A command, those below it, and what is only theirs. */
function commandLines(node: CommandNode, above: string): readonly string[] {
  const name = `${above} ${node.name}`;
  const own = node.options.filter(({ names }) => !names.includes('--help'));
  const options = own.length === 0 ? [] : ['.RS', ...own.flatMap(optionLines), '.RE'];
  const below = node.commands.flatMap((child) => commandLines(child, name));
  return ['.TP', bold(`${name}${argumentsText(node)}`), escape(node.description), ...options, ...below];
}

/** `Files: ...` and the like as sections; what has no title goes on with the one before. */
function epilogueLines(epilogue: string): readonly string[] {
  return epilogue
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [, title, rest = ''] = /^([A-Z][A-Za-z ]*):(.*)$/.exec(line) ?? [];
      const [example, ...words] = line.trim().split(/ {2,}/);
      if (line.startsWith('  ')) return ['.TP', bold(example ?? ''), escape(words.join(' '))];
      if (title === undefined) return [escape(line)];
      return [`.SH ${title.toUpperCase()}`, ...(rest.trim() === '' ? [] : [escape(rest.trim())])];
    });
}

/** The manual page of a program, in the language of man(7). */
export function manPage({ program, version, epilogue }: ManPage): string {
  const { name, description, commands, options } = program;
  const synopsis = commands.length > 0 ? ' [options] command' : ` [options]${argumentsText(program)}`;
  const commandSection = commands.flatMap((command) => commandLines(command, name));
  const lines = [
    `.TH ${name.toUpperCase()} 8 "" "plancton ${version}" "Plancton"`,
    '.SH NAME',
    escape(`${name} - ${description.replace(/\.$/, '')}`),
    '.SH SYNOPSIS',
    bold(name + synopsis),
    ...(commandSection.length === 0 ? [] : ['.SH COMMANDS', ...commandSection]),
    '.SH OPTIONS',
    ...options.flatMap(optionLines),
    ...epilogueLines(epilogue),
  ];
  return `${lines.join('\n')}\n`;
}
