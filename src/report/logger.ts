import { pino, type Logger } from 'pino';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A logger that writes lines of JSON, each at once and whole, to `output`. */
export function createLogger(level: LogLevel, output: { write(json: string): void }): Logger {
  return pino({ level, base: null }, output);
}
