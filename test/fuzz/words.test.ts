import { expect, it } from 'vitest';
import { ExpressionError } from '../../src/config/expression/expression-error.js';
import { evaluateExpression } from '../../src/config/expression/expression.js';
import { formatImageReference, parseImageReference } from '../../src/config/image-reference.js';
import { allowsImage } from '../../src/policy/match-image.js';
import type { Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';

const names = new Map([
  ['ncpus', 24],
  ['ram_bytes', 64e9],
  ['swap_bytes', 0],
]);
const atoms = ['ncpus', 'ram_bytes', 'swap_bytes', '0', '1', '2', '3.5', '1e3', '24', '2000000000', '(ncpus)', 'True'];
const infix = ['+', '-', '*', '/', '//', '%', '**', '<', '<=', '==', 'and', 'or'];

function expression(dice: Dice, depth: number): string {
  if (depth === 0 || dice.chance(0.3)) return dice.pick(atoms);
  const part = () => expression(dice, depth - 1);
  switch (dice.below(6)) {
    case 0:
      return `${dice.pick(['max', 'min'])}(${part()}, ${part()})`;
    case 1:
      return `${dice.pick(['int', 'float', 'abs', 'round'])}(${part()})`;
    case 2:
      return `(${part()} if ${part()} else ${part()})`;
    case 3:
      return `-${part()}`;
    default:
      return `(${part()} ${dice.pick(infix)} ${part()})`;
  }
}

it('expressions', () =>
  fuzz({
    name: 'expression',
    make: (dice) => {
      const text = expression(dice, 4);
      return dice.chance(0.4) ? mutateText(text, dice) : text;
    },
    feed: (text) => {
      try {
        const value = evaluateExpression(text, names, 1e9);
        if (!Number.isFinite(value)) throw new Error(`it is ${value}`);
        return true;
      } catch (error) {
        if (error instanceof ExpressionError && error.message !== '') return false;
        throw error;
      }
    },
  }));

const hosts = [
  '',
  '',
  'docker.io/',
  'index.docker.io/',
  'reg.org/',
  'reg.org:5000/',
  'reg.org.evil/',
  'localhost/',
  '127.0.0.1:5000/',
  '[::1]:5000/',
];
const paths = ['a', 'ab', 'a/b', 'a/b/c', 'library/a', 'a-b__c.d/e', 'reg.org/a'];
const tails = ['', ':1', ':latest', `@sha256:${'a'.repeat(64)}`, `:2@sha256:${'b'.repeat(64)}`, ':', '@', ':-x'];

function reference(dice: Dice): string {
  return dice.pick(hosts) + dice.pick(paths) + dice.pick(tails);
}

/** The parts of a name, registry first, by the rule that Docker documents; the checker of the policy has one of its own. */
function partsOf(name: string): readonly string[] {
  const parts = name.split('/');
  const first = parts[0] ?? '';
  if (parts.length === 1) return ['docker.io', 'library', name];
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase();
  if (!isHost) return ['docker.io', ...parts];
  if (first !== 'docker.io' && first !== 'index.docker.io') return parts;
  return parts.length === 2 ? ['docker.io', 'library', ...parts.slice(1)] : ['docker.io', ...parts.slice(1)];
}

function mayAllow(entry: string, image: string): boolean {
  if (entry === '*') return true;
  const bare = (text: string) => text.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  const wanted = partsOf(bare(image));
  if (!entry.endsWith('/*')) return partsOf(bare(entry)).join('/') === wanted.join('/');
  const isHub = entry === 'docker.io/*' || entry === 'index.docker.io/*';
  const above = isHub ? ['docker.io'] : partsOf(`${entry.slice(0, -1)}x`).slice(0, -1);
  return wanted.length > above.length && above.every((part, index) => wanted[index] === part);
}

it('image references', () =>
  fuzz({
    name: 'image reference',
    make: (dice) => {
      const image = dice.chance(0.35) ? mutateText(reference(dice), dice) : reference(dice);
      const entry = dice.pick([reference(dice), '*', `${dice.pick(hosts)}${dice.pick(paths)}/*`]);
      return { image, entry };
    },
    feed: ({ image, entry }) => {
      if (allowsImage(entry, image) && !mayAllow(entry, image)) throw new Error('the policy has a hole');
      const parsed = parseImageReference(image);
      if (parsed === undefined) return false;
      const whole = formatImageReference(parsed);
      const again = parseImageReference(whole);
      expect(again && formatImageReference(again)).toBe(whole);
      return true;
    },
  }));
