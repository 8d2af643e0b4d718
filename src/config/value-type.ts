import * as z from 'zod';
import { durationForms, parseDuration, parseNumber, parseSize, sizeForms } from './quantity.js';

/** How one key is read: the check, and the one phrase that tells people what it takes. */
export interface ValueType<Out> {
  readonly schema: z.ZodType<Out>;
  readonly accepted: string;
}

/** A value as an error message shows it: short, on one line, without control characters. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

/** The sentence for a value that cannot be used. */
export function refusal(accepted: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => `${show(input)} is not accepted; give ${accepted}`;
}

function quantity(accepted: string, min: number, max: number, parse: (text: string) => number | undefined) {
  const error = refusal(accepted);
  const schema = z.union([z.number().min(min).max(max), z.string()], { error }).transform((input, context): number => {
    const value = typeof input === 'number' ? input : parse(input);
    if (value !== undefined && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: error({ input }) });
    return z.NEVER;
  });
  return { schema, accepted };
}

/** Seconds, bare or with units. */
export function duration(min: number, max: number): ValueType<number> {
  return quantity(`a time from ${min} to ${max} seconds (${durationForms})`, min, max, parseDuration);
}

/** Bytes, bare or with units. */
export function size(max: number): ValueType<number> {
  return quantity(`a size from 0 to ${max} bytes (${sizeForms})`, 0, max, parseSize);
}

/** A plain number. */
export function amount(min: number, max: number): ValueType<number> {
  return quantity(`a number from ${min} to ${max}`, min, max, parseNumber);
}

/** A whole number. */
export function count(min: number, max: number): ValueType<number> {
  const { schema, accepted } = quantity(`a whole number from ${min} to ${max}`, min, max, parseNumber);
  return { schema: schema.refine(Number.isInteger, { error: refusal(accepted) }), accepted };
}

/** The word `auto`, or a plain number. */
export function autoOr(min: number, max: number): ValueType<'auto' | number> {
  const accepted = `auto, or a number from ${min} to ${max}`;
  const auto = z.literal('auto');
  const schema = z
    .union([auto, z.number().min(min).max(max), z.string()], { error: refusal(accepted) })
    .transform((input, context): 'auto' | number => {
      const value = typeof input === 'number' || input === 'auto' ? input : parseNumber(input);
      if (value === 'auto' || (value !== undefined && value >= min && value <= max)) return value;
      context.addIssue({ code: 'custom', message: refusal(accepted)({ input }) });
      return z.NEVER;
    });
  return { schema, accepted };
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
