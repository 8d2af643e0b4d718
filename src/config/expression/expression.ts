import { ExpressionError } from './expression-error.js';
import { tokenize, type Token } from './expression-token.js';
import { checked, comparisons, functions, operators, truncate, type Value } from './python-arithmetic.js';

const maxLength = 1000;
const maxDepth = 50;

/** How tightly operators bind, loosest first. */
const binding = { condition: 1, or: 2, and: 3, not: 4, comparison: 5, sum: 6, product: 7, sign: 8, power: 9 } as const;
const infixBinding = new Map<string, number>([
  ['if', binding.condition],
  ['or', binding.or],
  ['and', binding.and],
  ...Object.keys(comparisons).map((operator) => [operator, binding.comparison] as const),
  ...['+', '-'].map((operator) => [operator, binding.sum] as const),
  ...['*', '/', '//', '%'].map((operator) => [operator, binding.product] as const),
  ['**', binding.power],
]);

/** A part of an expression, ready to be calculated; parts that are not asked for are never calculated. */
type Part = () => Value;

/** Runs a calculation and gives its failure a place. */
function at(column: number, calculate: Part): Part {
  return () => {
    try {
      return checked(calculate());
    } catch (error) {
      if (error instanceof ExpressionError || !(error instanceof RangeError)) throw error;
      throw new ExpressionError(error.message, column);
    }
  };
}

function isTrue(value: Value): boolean {
  return Number(value) !== 0;
}

/** A parser over one expression (Pratt: the binding of the next operator decides who gets the operand). */
class Parser {
  readonly #tokens: readonly Token[];
  readonly #names: ReadonlyMap<string, number>;
  #next = 0;
  #depth = 0;

  constructor(text: string, names: ReadonlyMap<string, number>) {
    this.#tokens = tokenize(text);
    this.#names = names;
  }

  /** The whole expression; throws ExpressionError at the first thing out of place. */
  parse(): Part {
    const part = this.#expression(0);
    if (this.#peek().kind !== 'end') throw this.#unexpected(this.#peek());
    return part;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', column: 0 };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #takeIf(operator: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== 'operator' || text !== operator) return false;
    this.#next += 1;
    return true;
  }

  #expect(operator: string): void {
    const token = this.#peek();
    if (!this.#takeIf(operator)) throw new ExpressionError(`${operator} is missing`, token.column);
  }

  #unexpected({ kind, text, column }: Token): ExpressionError {
    return new ExpressionError(kind === 'end' ? 'something is missing at the end' : `${text} is out of place`, column);
  }

  #expression(leastBinding: number): Part {
    const start = this.#peek();
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new ExpressionError(`nested deeper than ${maxDepth} levels`, start.column);
    let left = this.#operand(this.#take());
    for (;;) {
      const token = this.#peek();
      const power = token.kind === 'operator' ? infixBinding.get(token.text) : undefined;
      if (power === undefined || power < leastBinding) break;
      this.#take();
      left = this.#infix(left, token, power);
    }
    this.#depth -= 1;
    return left;
  }

  #operand(token: Token): Part {
    if (token.kind === 'number') return this.#literal(token);
    if (token.kind === 'name') return this.#takeIf('(') ? this.#call(token) : this.#name(token);
    if (token.kind === 'operator') return this.#prefix(token);
    throw this.#unexpected(token);
  }

  #prefix(token: Token): Part {
    switch (token.text) {
      case '(': {
        const inner = this.#expression(0);
        this.#expect(')');
        return inner;
      }
      case '-': {
        const operand = this.#expression(binding.sign);
        return () => -operand();
      }
      case '+':
        return this.#expression(binding.sign);
      case 'not': {
        const operand = this.#expression(binding.not);
        return () => (isTrue(operand()) ? 0n : 1n);
      }
      default:
        throw this.#unexpected(token);
    }
  }

  #literal({ text, column }: Token): Part {
    const digits = text.replaceAll('_', '');
    if (/^0\d/.test(digits) && !/[.eE]/.test(digits)) throw new ExpressionError('a number with a leading 0', column);
    const isInteger = /^(?:0[xX].*|\d+)$/.test(digits);
    return at(column, () => (isInteger ? BigInt(digits) : Number(digits)));
  }

  #name({ text, column }: Token): Part {
    const value = this.#names.get(text);
    const known = [...this.#names.keys()].join(', ');
    if (value === undefined) throw new ExpressionError(`${text} is not known; there are ${known}`, column);
    return () => (Number.isInteger(value) ? BigInt(value) : value);
  }

  #call({ text, column }: Token): Part {
    const called = Object.hasOwn(functions, text) ? functions[text] : undefined;
    const known = Object.keys(functions).join(', ');
    if (called === undefined) throw new ExpressionError(`${text}() is not known; there are ${known}`, column);
    const first = this.#expression(0);
    const rest: Part[] = [];
    while (this.#takeIf(',')) rest.push(this.#expression(0));
    this.#expect(')');
    const [least, most] = called.arguments;
    const given = rest.length + 1;
    if (given < least || given > most) {
      throw new ExpressionError(`${text}() takes ${least === most ? 'one argument' : 'two or more arguments'}`, column);
    }
    return at(column, () => called.apply(first(), ...rest.map((part) => part())));
  }

  #infix(left: Part, { text, column }: Token, power: number): Part {
    if (power === binding.condition) return this.#condition(left);
    if (power === binding.comparison) return this.#comparison(left, text);
    // `**` groups to the right, and its right side may carry a sign.
    const right = this.#expression(text === '**' ? binding.sign : power + 1);
    if (text === 'and' || text === 'or') {
      return () => {
        const value = left();
        return isTrue(value) === (text === 'and') ? right() : value;
      };
    }
    const operate = operators[text];
    if (operate === undefined) throw new ExpressionError(`${text} is out of place`, column);
    return at(column, () => operate(left(), right()));
  }

  #condition(whenTrue: Part): Part {
    const condition = this.#expression(binding.or);
    this.#expect('else');
    const whenFalse = this.#expression(binding.condition);
    return () => (isTrue(condition()) ? whenTrue() : whenFalse());
  }

  /** `a < b < c` holds when both do, as in Python. */
  #comparison(first: Part, operator: string): Part {
    const links = [{ compare: comparisons[operator], right: this.#expression(binding.comparison + 1) }];
    while (infixBinding.get(this.#peek().text) === binding.comparison) {
      links.push({ compare: comparisons[this.#take().text], right: this.#expression(binding.comparison + 1) });
    }
    return () => {
      let left = first();
      for (const { compare, right } of links) {
        const value = right();
        if (compare?.(left, value) !== true) return 0n;
        left = value;
      }
      return 1n;
    };
  }
}

/**
 * Calculates arithmetic over `names` as Python 2 does and cuts the result to an integer. Takes bounded time and memory,
 * whatever the text. Throws ExpressionError, and nothing else, where there is no result or its size exceeds `limit`.
 */
export function evaluateExpression(text: string, names: ReadonlyMap<string, number>, limit: number): number {
  if (text.length > maxLength) throw new ExpressionError(`longer than ${maxLength} characters`, maxLength + 1);
  const value = truncate(new Parser(text, names).parse()());
  if (value > BigInt(limit)) throw new ExpressionError(`comes to more than ${limit}`, 1);
  return Math.max(Number(value), -limit);
}
