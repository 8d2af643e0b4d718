import { ExpressionError } from './expression-error.js';

/** One word of an expression; `column` counts from 1. */
export interface Token {
  readonly kind: 'number' | 'name' | 'operator' | 'end';
  readonly text: string;
  readonly column: number;
}

const pattern =
  /(?<number>0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[A-Za-z_]\w*)|(?<operator>\*\*|\/\/|[<>=!]=|[-+*/%<>(),])/y;
const wordOperators = new Set(['and', 'or', 'not', 'if', 'else']);

/** Cuts an expression into words, with an `end` at its end. Throws ExpressionError at anything else. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1;
    if (at >= text.length) break;
    const column = at + 1;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw new ExpressionError(`${JSON.stringify(text.charAt(at))} has no meaning here`, column);
    const [word] = match;
    at += word.length;
    const isWordOperator = wordOperators.has(word);
    const kind =
      match.groups?.['number'] !== undefined
        ? 'number'
        : match.groups?.['name'] !== undefined && !isWordOperator
          ? 'name'
          : 'operator';
    tokens.push({ kind, text: word, column });
  }
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }];
}
