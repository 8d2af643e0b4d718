import type { Dice } from './dice.js';

/** What breaks readers of text: ends, quotes, numbers at the edge, names with a meaning in JavaScript, characters nobody expects. */
const TOKENS = [
  '\0', '\r', '\n', '\t', '\u001b[2J', '\ufeff', '\u2028', '\ud800', '"', "'", '`', '\\', '/', '../', ':', '- ', '? ', '#', '&a', '*a', '<<: *a',
  '{', '}', '[', ']', '[[[[[[[[', '{{{{{{{{', '!!js/function', '!!binary', '---\n', '...', '|', '>', '%', '@', '${x}', '$(id)', ';', ',',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'true', 'undefined', 'NaN', 'Infinity', '~',
  '-0', '-1', '0x10', '1e999', '1e-999', '9007199254740993', '99999999999999999999', '0.1', '1_000', '٣', 'é', '日本', '🦠',
]; // prettier-ignore

type Change = (text: string, dice: Dice) => string;

function span(text: string, dice: Dice): readonly [number, number] {
  const from = dice.below(text.length + 1);
  return [from, Math.min(text.length, from + dice.below(20))];
}

const CHANGES: readonly Change[] = [
  (text, dice) => {
    const [from, to] = span(text, dice);
    return text.slice(0, from) + text.slice(to);
  },
  (text, dice) => {
    const [from, to] = span(text, dice);
    return text.slice(0, to) + text.slice(from, to).repeat(1 + dice.below(4)) + text.slice(to);
  },
  (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + dice.pick(TOKENS) + text.slice(at);
  },
  (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + String.fromCharCode(dice.below(dice.chance(0.7) ? 128 : 65_536)) + text.slice(at + 1);
  },
  (text, dice) => text.slice(0, dice.below(text.length + 1)),
  (text, dice) => {
    const lines = text.split('\n');
    const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    return lines.join('\n');
  },
  (text, dice) => text.replace(/\d+/, () => dice.pick(TOKENS)),
];

/** `text` with one to four things wrong. */
export function mutateText(text: string, dice: Dice): string {
  let changed = text;
  for (let left = 1 + dice.below(4); left > 0; left -= 1) changed = dice.pick(CHANGES)(changed, dice);
  return changed;
}
