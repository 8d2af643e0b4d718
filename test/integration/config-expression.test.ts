import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionError } from '../../src/config/expression/expression-error.js';
import { evaluateExpression } from '../../src/config/expression/expression.js';

const limit = 10_000;
const names = { ncpus: 24, ram_bytes: 64_000_000_000, swap_bytes: 0, max_dock_mem: 2_750_000_000, max_dock_swap: 1e9 };

// Python itself, with the two things that version 2 did otherwise: `/` between integers, and round().
const python = `
import ast, json, math, sys
texts, names = json.load(sys.stdin)
class Division(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div): return node
        return ast.copy_location(ast.Call(ast.Name('divide', ast.Load()), [node.left, node.right], []), node)
def divide(a, b): return a // b if isinstance(a, int) and isinstance(b, int) else a / b
def half_away(x): return math.copysign(math.floor(abs(float(x)) + 0.5), x)
known = {**names, 'divide': divide, 'round': half_away, 'floor': math.floor, 'ceil': math.ceil,
         **{f.__name__: f for f in (int, float, abs, min, max)}, '__builtins__': {}}
def evaluate(text):
    try:
        tree = ast.fix_missing_locations(Division().visit(ast.parse(text, mode='eval')))
        return str(int(eval(compile(tree, '', 'eval'), known)))
    except (ArithmeticError, ValueError, TypeError):
        return None
print(json.dumps([evaluate(text) for text in texts]))
`;

function evaluatedByPython(texts: readonly string[]): readonly (string | null)[] {
  const input = JSON.stringify([texts, names]);
  const stdout = execFileSync('python3', ['-c', python], { input, encoding: 'utf8', timeout: 120_000 });
  return JSON.parse(stdout) as (string | null)[];
}

/** Our result; undefined where we refuse for size, which Python does not. */
function evaluated(text: string): string | null | undefined {
  try {
    return String(evaluateExpression(text, new Map(Object.entries(names)), limit));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return /more than|too large|reasonable size|nested|longer/.test(error.message) ? undefined : null;
  }
}

const expressions = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(...Object.keys(names), '0', '1', '2', '7', '0.5', '2.5', '1e3', '1_000', '0x1f'),
    fc
      .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/', '//', '%', ' and ', ' or '), tie('expression'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(tie('expression'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('expression'))
      .map((parts) => parts.join(' ')),
    // Whole powers only: the last digit of the others is up to the mathematical library.
    fc
      .tuple(fc.constantFrom('2', '-3', '(-3)', 'ncpus'), fc.nat({ max: 9 }))
      .map(([base, power]) => `${base} ** ${power}`),
    tie('expression').map((inner) => `(${inner})`),
    tie('expression').map((inner) => `-${inner}`),
    tie('expression').map((inner) => `(not ${inner})`),
    fc
      .tuple(fc.constantFrom('int', 'float', 'abs', 'round', 'floor', 'ceil'), tie('expression'))
      .map(([name, inner]) => `${name}(${inner})`),
    fc
      .tuple(fc.constantFrom('min', 'max'), tie('expression'), tie('expression'))
      .map(([name, first, second]) => `${name}(${first}, ${second})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([yes, condition, no]) => `(${yes} if ${condition} else ${no})`),
  ),
})).expression;

describe('arithmetic for max_docks', () => {
  it('agrees with Python', () => {
    const texts = fc.sample(expressions, 5000);
    const expected = evaluatedByPython(texts);
    const judged = texts.flatMap((text, index) => {
      const ours = evaluated(text);
      const theirs = expected[index];
      if (ours === undefined) return [];
      // What is far below zero is 0 pilots all the same.
      const clamped = theirs === null || theirs === undefined ? null : String(Math.max(Number(theirs), -limit));
      return [{ text, ours, theirs: clamped }];
    });
    expect(judged.length).toBeGreaterThan(1000);
    expect(judged.filter(({ ours, theirs }) => ours !== theirs)).toEqual([]);
  });
});
