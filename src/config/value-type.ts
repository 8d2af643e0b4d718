import * as z from 'zod';
import {
  durationForms,
  durationPattern,
  formatDuration,
  formatSize,
  numberPattern,
  parseDuration,
  parseNumber,
  parseSize,
  sizeForms,
  sizePattern,
} from './quantity.js';

/** How one key is read: the check, and the one phrase that tells people what it takes. */
export interface ValueType<Out> {
  readonly schema: z.ZodType<Out>;
  readonly accepted: string;
}

/** A value as an error message shows it: short, on one line, without control characters. */
export function show(value: unknown): string {
  // Numbers with a point arrive as text.
  if (typeof value === 'string' && numberPattern.test(value) && value.length < 60) return value;
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  return value === null || value === undefined ? 'nothing' : 'a mapping';
}

/** The sentence for a value that cannot be used. */
export function refusal(accepted: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `is missing; give ${accepted}` : `${show(input)} is not accepted; give ${accepted}`;
}

interface Range {
  readonly accepted: string;
  /** Spellings that many keys share, told only where one was wrong. */
  readonly forms?: string;
  readonly min: number;
  readonly max: number;
  readonly pattern: RegExp;
  readonly parse: (text: string) => number | undefined;
}

/** A number within bounds, also written as text. */
function quantity({ accepted, forms, min, max, pattern, parse }: Range) {
  const error = refusal(forms === undefined ? accepted : `${accepted}, ${forms}`);
  const written = z.string().meta({ pattern: pattern.source });
  const schema = z
    .union([z.number().min(min, { error }).max(max, { error }), written], { error })
    .transform((input, context): number => {
      const value = typeof input === 'number' ? input : parse(input);
      if (value !== undefined && value >= min && value <= max) return value;
      context.addIssue({ code: 'custom', message: error({ input }) });
      return z.NEVER;
    });
  return { schema, accepted };
}

/** Seconds, bare or with units. */
export function duration(min: number, max: number): ValueType<number> {
  const accepted = `a time from ${formatDuration(min)} to ${formatDuration(max)}`;
  return quantity({ accepted, forms: durationForms, min, max, pattern: durationPattern, parse: parseDuration });
}

/** Bytes, bare or with units: 0, or something from `least` to `max`. */
export function size(least: number, max: number): ValueType<number> {
  const accepted = `${least > 0 ? '0, or ' : ''}a size from ${formatSize(least)} to ${formatSize(max)}`;
  const { schema } = quantity({ accepted, forms: sizeForms, min: 0, max, pattern: sizePattern, parse: parseSize });
  const isUsable = (bytes: number) => bytes === 0 || bytes >= least;
  // Engines know no parts of bytes.
  const whole = schema.transform(Math.trunc);
  return { schema: whole.refine(isUsable, { error: refusal(accepted) }), accepted };
}

/** A plain number. */
export function amount(min: number, max: number): ValueType<number> {
  return quantity({
    accepted: `a number from ${min} to ${max}`,
    min,
    max,
    pattern: numberPattern,
    parse: parseNumber,
  });
}

/** A whole number. */
export function count(min: number, max: number): ValueType<number> {
  const accepted = `a whole number from ${min} to ${max}`;
  const { schema } = quantity({ accepted, min, max, pattern: numberPattern, parse: parseNumber });
  return { schema: schema.refine(Number.isInteger, { error: refusal(accepted) }), accepted };
}

/** The word `auto`, or a plain number. */
export function autoOr(min: number, max: number): ValueType<'auto' | number> {
  const accepted = `auto, or a number from ${min} to ${max}`;
  const { schema } = quantity({ accepted, min, max, pattern: numberPattern, parse: parseNumber });
  return { schema: z.union([z.literal('auto'), schema], { error: refusal(accepted) }), accepted };
}

/** The word `never`, or such a value. */
export function neverOr<Out>({ schema, accepted }: ValueType<Out>): ValueType<'never' | Out> {
  const phrase = `never, or ${accepted}`;
  return { schema: z.union([z.literal('never'), schema], { error: refusal(phrase) }), accepted: phrase };
}

/** Yes or no. */
export function flag(): ValueType<boolean> {
  const accepted = 'true or false';
  return { schema: z.boolean({ error: refusal(accepted) }), accepted };
}

/** One word out of a few. */
export function oneOf<const Word extends string>(...words: readonly Word[]): ValueType<Word> {
  const accepted = words.join(' or ');
  return { schema: z.enum(words, { error: refusal(accepted) }), accepted };
}

/** Text that passes a test. Whole numbers are taken as text, since YAML reads `1000` as a number. */
export function text(accepted: string, test: (value: string) => boolean): ValueType<string> {
  const error = refusal(accepted);
  const schema = z
    .union([z.string(), z.number().int()], { error })
    .transform(String)
    .refine((value) => test(value), { error });
  return { schema, accepted };
}

/** A list, each element read in the same way. */
export function listOf<Out>({ schema, accepted }: ValueType<Out>): ValueType<Out[]> {
  const phrase = `a list, each element ${accepted}`;
  return { schema: z.array(schema, { error: refusal(phrase) }), accepted: phrase };
}

/** The word `none`, or an address that nobody but this host can reach. */
export function localAddress(): ValueType<string> {
  const isPort = (port: string) => Number(port) >= 1 && Number(port) <= 65_535;
  return text('none, or 127.0.0.1:PORT', (value) => {
    const [, port] = /^127\.0\.0\.1:([1-9]\d{0,4})$/.exec(value) ?? [];
    return value === 'none' || (port !== undefined && isPort(port));
  });
}

/** The word `none`, or where a file is. */
export function fileOrNone(): ValueType<string> {
  return text('none, or an absolute path', (value) => value === 'none' || /^\/[^\0]*[^/\0]$/.test(value));
}
