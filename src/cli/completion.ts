import type { ArgumentNode, CommandNode, OptionNode } from './command-tree.js';

export type Shell = 'bash' | 'zsh' | 'fish';

/** A command and the words that lead to it, without the program's own name. */
interface Place {
  readonly words: readonly string[];
  readonly node: CommandNode;
}

/** What may follow the words of a place. */
interface Suggestions {
  readonly words: readonly { readonly text: string; readonly description: string }[];
  readonly files: boolean;
  readonly pilots: boolean;
}

/** Prints the names of the pilots there are; nothing in them is anything to a shell. */
const PILOT_NAMES = (program: string) =>
  `${program} ps 2>/dev/null | sed -n 's/^\\(plancton-worker-[A-Za-z0-9_.-]*\\) .*/\\1/p'`;

function placesOf(node: CommandNode, words: readonly string[] = []): readonly Place[] {
  return [{ words, node }, ...node.commands.flatMap((child) => placesOf(child, [...words, child.name]))];
}

const isPilot = ({ name }: ArgumentNode) => name === 'pilot';
const isFile = ({ name }: ArgumentNode) => name === 'file' || name === 'scenario';

function suggestionsOf({ words, node }: Place, root: CommandNode): Suggestions {
  const describe = (text: string, description: string) => ({ text, description });
  const own = node.options.flatMap(({ names, description }) => names.map((name) => describe(name, description)));
  // Options of the program may stand anywhere.
  const shared = words.length === 0 ? [] : root.options;
  const common = shared.flatMap(({ names, description }) => names.map((name) => describe(name, description)));
  const commands = node.commands.map(({ name, description }) => describe(name, description));
  const choices = node.arguments.flatMap((argument) => argument.choices).map((choice) => describe(choice, ''));
  const unique = new Map([...commands, ...choices, ...own, ...common].map((word) => [word.text, word]));
  return { words: [...unique.values()], files: node.arguments.some(isFile), pilots: node.arguments.some(isPilot) };
}

/** Options with a value, each once. */
function valuedOptions(root: CommandNode): readonly OptionNode[] {
  const all = placesOf(root).flatMap(({ node }) => node.options.filter(({ value }) => value !== undefined));
  return [...new Map(all.map((option) => [option.flags, option])).values()];
}

/** In single quotes for any shell: nothing in a description is a quote that would end them. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}

const pathOf = ({ words }: Place) => quote(words.map((word) => `/${word}`).join(''));

/** The words of `suggestions` that do not stand for a command's own options are offered before a dash is typed. */
function bashCase(place: Place, root: CommandNode): string {
  const { words, files, pilots } = suggestionsOf(place, root);
  const listed = words.map(({ text }) => text).join(' ');
  const more = [...(pilots ? [`words="$words $(${PILOT_NAMES(root.name)})"`] : []), ...(files ? ['files=1'] : [])];
  return `    ${pathOf(place)}) words=${quote(listed)}${more.map((line) => `; ${line}`).join('')} ;;`;
}

function bashValue({ names, value, choices }: OptionNode): string {
  const flag = value === 'directory' ? '-d' : value === 'file' ? '-f' : `-W ${quote(choices.join(' '))}`;
  return `    ${names.join('|')}) mapfile -t COMPREPLY < <(compgen ${flag} -- "$cur"); return ;;`;
}

function bashScript(root: CommandNode): string {
  const places = placesOf(root);
  const known = places.filter(({ words }) => words.length > 0).map(pathOf);
  return `# Completion for bash: source this file, or keep it as /usr/share/bash-completion/completions/${root.name}.
_${root.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= words= files= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $path/$word in
    ${known.join('|')}) path=$path/$word ;;
    esac
  done
  case $prev in
${valuedOptions(root).map(bashValue).join('\n')}
  esac
  case $path in
${places.map((place) => bashCase(place, root)).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [ -n "$files" ]; then mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur"); fi
}
complete -o filenames -F _${root.name} ${root.name}
`;
}

function zshCase(place: Place, root: CommandNode): string {
  const { words, files, pilots } = suggestionsOf(place, root);
  const described = words.map(({ text, description }) => quote(`${text}:${description.replaceAll(':', '\\:')}`));
  const more = [...(pilots ? [`compadd -- \${(f)"$(${PILOT_NAMES(root.name)})"}`] : []), ...(files ? ['_files'] : [])];
  return `    ${pathOf(place)}) offers=(${described.join(' ')})${more.map((line) => `; ${line}`).join('')} ;;`;
}

function zshValue({ names, value, choices }: OptionNode): string {
  const offer = value === 'directory' ? '_files -/' : value === 'file' ? '_files' : `compadd -- ${choices.join(' ')}`;
  return `    ${names.join('|')}) ${offer}; return ;;`;
}

function zshScript(root: CommandNode): string {
  const places = placesOf(root);
  const known = places.filter(({ words }) => words.length > 0).map(pathOf);
  return `#compdef ${root.name}
# Completion for zsh: keep it as _${root.name} in a folder of $fpath, or source it after compinit.
_${root.name}() {
  local line='' word
  local -a offers
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case $line/$word in
    ${known.join('|')}) line=$line/$word ;;
    esac
  done
  case \${words[CURRENT-1]} in
${valuedOptions(root).map(zshValue).join('\n')}
  esac
  case $line in
${places.map((place) => zshCase(place, root)).join('\n')}
  esac
  _describe ${quote(root.name)} offers
}
if [ "$funcstack[1]" = "_${root.name}" ]; then _${root.name} "$@"; else compdef _${root.name} ${root.name}; fi
`;
}

/** When the words of a place have been typed, and no further command. */
function fishCondition({ words, node }: Place): string {
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  const further = node.commands.map(({ name }) => name).join(' ');
  const none = further === '' ? [] : [`not __fish_seen_subcommand_from ${further}`];
  return quote([...seen, ...none].join('; and '));
}

function fishOption({ names, description, value, choices }: OptionNode, condition: string): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const how = value === undefined ? '' : value === 'other' ? ` -x -a ${quote(choices.join(' '))}` : ' -r -F';
  return `-n ${condition} ${flags.join(' ')}${how} -d ${quote(description)}`;
}

function fishPlace(place: Place, root: CommandNode): readonly string[] {
  const { node } = place;
  const here = fishCondition(place);
  const choices = node.arguments.flatMap((argument) => argument.choices);
  return [
    ...node.commands.map(({ name, description }) => `-n ${here} -a ${name} -d ${quote(description)}`),
    ...(choices.length === 0 ? [] : [`-n ${here} -a ${quote(choices.join(' '))}`]),
    ...(node.arguments.some(isFile) ? [`-n ${here} -F`] : []),
    ...(node.arguments.some(isPilot)
      ? [`-n ${here} -a ${quote(`(${PILOT_NAMES(root.name).replaceAll("'", '"')})`)}`]
      : []),
    ...node.options.map((option) => fishOption(option, place.words.length === 0 ? "'true'" : here)),
  ];
}

function fishScript(root: CommandNode): string {
  const lines = placesOf(root).flatMap((place) => fishPlace(place, root));
  const head = `# Completion for fish: keep it as ~/.config/fish/completions/${root.name}.fish.`;
  return `${[head, `complete -c ${root.name} -f`, ...lines.map((line) => `complete -c ${root.name} ${line}`)].join('\n')}\n`;
}

/** A script that has a shell complete the commands and options of a program, and the names of pilots. */
export function completionScript(shell: Shell, root: CommandNode): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](root);
}
