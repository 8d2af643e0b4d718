/** Something that keeps pilots on an engine, and is watched while that breaks. */
export interface Contender {
  readonly instance: string;
  readonly runDir: string;
  /** Looks at its pilots so far; grows while it goes on. */
  cycles(): number;
  /** Codes of the faults that it tells now; undefined: it has no status to tell them in. */
  told(): readonly string[] | undefined;
  /** Puts another configuration in force. */
  configure(changes: Readonly<Record<string, unknown>>): void;
  /** Why it does not run any more; undefined while it does. */
  ended(): string | undefined;
  stop(): Promise<void>;
}
