import type { Words } from './words.js';

// What the daemon shows of its last day by HTTP, beside its status; types only, which the page in the browser knows, too.

/** Averages over one step of time. CPUs, and pilots. */
export interface DaySample {
  /** When the step begins, ms since 1970. */
  readonly at: number;
  readonly cpus: number;
  /** What pilots used, what others used, and what nobody did. */
  readonly own: number;
  readonly foreign: number;
  readonly idle: number;
  readonly pilots: number;
}

/** The newest sample. */
export interface LiveSample extends DaySample {
  /** How long it covers. */
  readonly seconds: number;
}

/** One life. Ms since 1970. */
export interface DayPilot {
  readonly name: string;
  readonly image: string;
  readonly from: number;
  /** Undefined: it has not ended, as far as is known. */
  readonly until: number | undefined;
  /** Why it was removed. */
  readonly end: string | undefined;
  readonly exitCode: number | undefined;
}

/** A stretch of time as it can be drawn: no longer list, however often somebody looked at the host. */
export interface Day {
  readonly stepSeconds: number;
  /** In order; steps in which nobody looked are left out. */
  readonly samples: readonly DaySample[];
  /** In the order in which they began. */
  readonly pilots: readonly DayPilot[];
  /** Pilots that are not among them: older ones, of more than can be drawn. */
  readonly leftOut: number;
}

/** One thing that happened, as the log says it. `at`: ms since 1970. */
export interface EventLine extends Words {
  readonly at: number;
}

/** What `/api/v1/history` answers: the last day. */
export interface History extends Day {
  readonly apiVersion: 'plancton/v1';
  readonly kind: 'History';
  /** ISO 8601. */
  readonly since: string;
  readonly until: string;
  /** The last ones, the oldest first; what only developers want to know is left out. */
  readonly events: readonly EventLine[];
  /** Lines of the journal that could not be read. */
  readonly damaged: number;
}

/** A pilot is gone. `until`: ms since 1970. */
export interface PilotEnd {
  readonly name: string;
  readonly until: number;
  readonly end: string;
  readonly exitCode: number | undefined;
}

/** What `/api/v1/status` answers beside the status. */
export interface ShownState {
  readonly overdue: boolean;
  /** Whether who asks may drain and resume: `token`: with one, that has not been shown or is another. */
  readonly control: 'yes' | 'token' | 'no';
}
