// Arithmetic as Python 2 does it, which is what existing configurations were written for: integers are exact and
// `/` between them rounds down. An integer is a bigint here, a float a number, and a comparison gives 1n or 0n.

/** An integer (bigint) or a float (number). */
export type Value = bigint | number;

/** Integers beyond this many bits are somebody's mistake or attack; 2^50 bytes squared is far below. */
const maxBits = 1024;
const maxInteger = 1n << BigInt(maxBits);

/** Throws RangeError for what is not a finite number of sane size, returns it otherwise. */
export function checked(value: Value): Value {
  const isSane = typeof value === 'bigint' ? value < maxInteger && value > -maxInteger : Number.isFinite(value);
  if (!isSane) throw new RangeError('the result is not a finite number of reasonable size');
  return value;
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

/** Quotient and rest of floats, rounded down by way of the exact rest: 1 // 0.1 is 9. */
function floatDivMod(left: number, right: number): readonly [number, number] {
  let rest = left % right;
  let quotient = (left - rest) / right;
  if (rest !== 0 && rest < 0 !== right < 0) {
    rest += right;
    quotient -= 1;
  }
  const floor = Math.floor(quotient);
  return [quotient - floor > 0.5 ? floor + 1 : floor, rest];
}

function power(left: Value, right: Value): Value {
  const isZero = Number(left) === 0;
  if (isZero && right < 0) throw new RangeError('0 cannot be raised to a negative power');
  if (typeof left === 'number' || typeof right === 'number' || right < 0n) return Number(left) ** Number(right);
  const bits = BigInt(left.toString(2).length - 1);
  if (bits * right > maxBits) throw new RangeError('the result is too large');
  return left ** right;
}

function divisor(value: Value): Value {
  if (Number(value) === 0) throw new RangeError('division by zero');
  return value;
}

type Binary = (left: Value, right: Value) => Value;

/** Picks exact or floating arithmetic: one float makes the result a float. */
function either(exact: (a: bigint, b: bigint) => bigint, floating: (a: number, b: number) => number): Binary {
  return (left, right) => {
    const isExact = typeof left === 'bigint' && typeof right === 'bigint';
    return isExact ? exact(left, right) : floating(Number(left), Number(right));
  };
}

const division = either(floorDivide, (a, b) => a / b);
const floorDivision = either(floorDivide, (a, b) => floatDivMod(a, b)[0]);
const remainder = either(
  (a, b) => a - b * floorDivide(a, b),
  (a, b) => floatDivMod(a, b)[1],
);

/** What the binary operators do. They throw RangeError where there is no result. */
export const operators: Readonly<Record<string, Binary>> = {
  '+': either(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  '-': either(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  '*': either(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '/': (left, right) => division(left, divisor(right)),
  '//': (left, right) => floorDivision(left, divisor(right)),
  '%': (left, right) => remainder(left, divisor(right)),
  '**': power,
};

/** What the comparisons do; integers and floats compare exactly. */
export const comparisons: Readonly<Record<string, (left: Value, right: Value) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '==': (left, right) => !(left < right) && !(left > right),
  '!=': (left, right) => left < right || left > right,
};

/** Cuts off what follows the point. */
export function truncate(value: Value): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
}

function roundHalfAway(value: Value): Value {
  const number = Number(value);
  const size = Math.abs(number);
  const floor = Math.floor(size);
  return (size - floor >= 0.5 ? floor + 1 : floor) * Math.sign(number);
}

interface PythonFunction {
  readonly arguments: readonly [least: number, most: number];
  readonly apply: (first: Value, ...rest: Value[]) => Value;
}

/** The functions that expressions may call. */
export const functions: Readonly<Record<string, PythonFunction>> = {
  int: { arguments: [1, 1], apply: truncate },
  float: { arguments: [1, 1], apply: Number },
  abs: { arguments: [1, 1], apply: (value) => (value < 0 ? -value : value) },
  min: { arguments: [2, Infinity], apply: (first, ...rest) => rest.reduce((a, b) => (b < a ? b : a), first) },
  max: { arguments: [2, Infinity], apply: (first, ...rest) => rest.reduce((a, b) => (b > a ? b : a), first) },
  round: { arguments: [1, 1], apply: roundHalfAway },
  floor: { arguments: [1, 1], apply: (value) => (typeof value === 'bigint' ? value : BigInt(Math.floor(value))) },
  ceil: { arguments: [1, 1], apply: (value) => (typeof value === 'bigint' ? value : BigInt(Math.ceil(value))) },
};
