// What the referee sees of an engine, in few words.

/** One container in the engine's list. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Something that happened, as the engine tells it. */
export interface EngineEvent {
  /** ms since 1970, by the engine's clock. */
  readonly atMs: number;
  readonly type: string;
  readonly action: string;
  /** Of the container, image or volume. */
  readonly id: string;
  /** Labels of a container are among them. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Rules of the list of invariants, as far as they can be judged from outside. */
export type Rule =
  | 'P1 decoy'
  | 'P2 cap'
  | 'P4 kill'
  | 'P5 policy'
  | 'P6 drain'
  | 'P7 force-stop'
  | 'P8 writer'
  | 'P9 pace'
  | 'P10 revision'
  | 'P11 secret'
  | 'P12 bounds'
  | 'P13 ttl'
  | 'P14 residue'
  | 'P15 progress'
  | 'P16 restart';

/** A rule that was broken. */
export interface Violation {
  readonly rule: Rule;
  /** ISO 8601: when it was seen, or when the engine says it happened. */
  readonly at: string;
  readonly evidence: string;
}

/** Notes a violation; the same evidence counts once. */
export type Blame = (rule: Rule, evidence: string, atMs?: number) => void;

/** The label prefix of pilots, written down here once more so that a slip in the daemon does not hide itself. */
const prefix = 'io.github.mconcas.plancton.';

/** The labels that a pilot of `instance` carries, and those that others copy, with or without a name. */
export function pilotLabelsOf(instance: string, name: string | undefined, image: string): Record<string, string> {
  return {
    [`${prefix}managed`]: 'true',
    [`${prefix}instance`]: instance,
    ...(name === undefined ? {} : { [`${prefix}name`]: name }),
    [`${prefix}image`]: image,
  };
}

/** Whether labels (or the attributes of an event) say that a container belongs to `instance`. */
export function isLabelled(labels: Readonly<Record<string, string>>, instance: string): boolean {
  return labels[`${prefix}managed`] === 'true' && labels[`${prefix}instance`] === instance;
}

/** The revision of the configuration that a pilot was made from. */
export function revisionOf(labels: Readonly<Record<string, string>>): string {
  return labels[`${prefix}revision`] ?? '';
}

/** Reads the engine's list; throws where it is none. */
export function readContainers(body: unknown): Container[] {
  if (!Array.isArray(body)) throw new Error('the list of containers is none');
  // Nobody but the engine writes this.
  return (body as RawContainer[]).map((raw) => ({
    id: raw.Id,
    name: (raw.Names?.[0] ?? '').slice(1),
    state: raw.State,
    image: raw.Image,
    labels: raw.Labels ?? {},
  }));
}

interface RawContainer {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly State: string;
  readonly Image: string;
  readonly Labels?: Record<string, string>;
}

/** Reads one line of the engine's events. */
export function readEvent(line: unknown): EngineEvent {
  // Nobody but the engine writes this.
  const { Type, Action, Actor, timeNano } = line as RawEvent;
  return {
    atMs: timeNano / 1e6,
    type: Type,
    action: Action,
    id: Actor.ID,
    attributes: Actor.Attributes ?? {},
  };
}

interface RawEvent {
  readonly Type: string;
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes?: Record<string, string> };
}

/** Whether a container in this state has a process. */
export function isAlive(state: string): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}
