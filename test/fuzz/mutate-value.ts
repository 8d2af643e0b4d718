import type { Dice } from './dice.js';

const JUNK: readonly unknown[] = [
  null, true, false, 0, -1, 1.5, 1e308, -0, 2 ** 53, '', ' ', 'x', '__proto__', '-1', '2026-99-99T00:00:00Z', '0001-01-01T00:00:00Z',
  'a'.repeat(5000), '\u0000', '\ud800', [], [[]], [null], {}, { constructor: 1 }, { length: -1 }, [1, 2, 3], ['x', {}],
]; // prettier-ignore

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON value with one thing in it replaced, removed, added or repeated, at any depth. */
export function mutateValue(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (list.length > 0 && dice.chance(0.75)) {
      const at = dice.below(list.length);
      return list.map((entry, index) => (index === at ? mutateValue(entry, dice) : entry));
    }
    return dice.chance(0.5) ? [...list, dice.pick(JUNK)] : dice.pick(JUNK);
  }
  if (isRecord(value) && dice.chance(0.9)) {
    const names = Object.keys(value);
    if (names.length > 0) {
      const name = dice.pick(names);
      if (dice.chance(0.15)) return Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
      if (dice.chance(0.1)) return { ...value, [dice.pick(['__proto__', 'toString', 'Extra', 'id'])]: dice.pick(JUNK) };
      return { ...value, [name]: mutateValue(value[name], dice) };
    }
  }
  return dice.pick(JUNK);
}
