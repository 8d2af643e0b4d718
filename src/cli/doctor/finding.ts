import type { Problem } from '../bootstrap/checks.js';

/** What came of one look at the host. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** `unknown`: it could not be looked at. */
  readonly state: 'ok' | 'advice' | 'problem' | 'unknown';
  readonly text: string;
  /** What to do about it. */
  readonly cure?: string;
}

export function fine(name: string, text: string): Finding {
  return { name, state: 'ok', text };
}

export function bad(name: string, text: string, cure: string): Finding {
  return { name, state: 'problem', text, cure };
}

export function advice(name: string, text: string, cure: string): Finding {
  return { name, state: 'advice', text, cure };
}

/** The same looks are taken before something is set up. */
export function fromProblems(name: string, problems: readonly Problem[], ok: string): readonly Finding[] {
  if (problems.length === 0) return [fine(name, ok)];
  return problems.map(({ what, cure, warning }) => (warning === true ? advice : bad)(name, what, cure));
}
