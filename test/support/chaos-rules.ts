/**
 * How far a request has come: the proxy has all of it; the engine has begun to answer it; as much of the answer as the rule lets through
 * has left for the client.
 */
export type Phase = 'arrived' | 'executed' | 'replied';

export interface ProxyRequest {
  readonly method: string;
  /** Without API version and query: `/containers/json`. */
  readonly path: string;
  /** As the client wrote it. */
  readonly url: string;
  /** What it has come to so far. */
  readonly phases: ReadonlySet<Phase>;
}

/** In place of what the engine says. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** JSON by default. */
  readonly contentType?: string;
}

/** What a reply comes to on its way to the client. */
export type Delivery =
  | 'whole'
  /** The connection stays open and silent. */
  | 'never'
  /** The connection is closed without a word. */
  | 'reset'
  /** The same for one direction: nothing will come, but the client may still speak. */
  | 'half-close'
  /** Closed in the middle of a header. */
  | 'half-head'
  /** All headers, and then nothing. */
  | 'head-only'
  /** Whole, after so many ms. */
  | { readonly lateMs: number }
  /** One byte of the body every so many ms. */
  | { readonly dripMs: number }
  /** The body up to this byte; then the connection is closed, half-closed, or the reply is ended as if that were all of it. */
  | { readonly cutAt: number; readonly then: 'reset' | 'half-close' | 'end' }
  /** Streams of lines: every line twice; lines of garbage between; the headers and no line. */
  | { readonly lines: 'twice' | 'garbage' | 'silence' };

export interface ChaosRule {
  readonly method: string;
  /** Of the path without API version and query. */
  readonly path: RegExp;
  /** The first matching request that is struck, counted from 1 since the rule was added; 1 by default. */
  readonly nth?: number;
  /** How many are struck from there on; all by default. */
  readonly times?: number;
  /** Whether the engine gets to see the request. It then does what was asked even where the client has left meanwhile. */
  readonly forward: boolean;
  /** Before the engine sees it, or before the answer in its place. */
  readonly waitMs?: number;
  readonly answer?: Answer;
  /** `whole` by default. */
  readonly delivery?: Delivery;
  /** Called as a struck request comes to a phase, and waited for before it goes on. */
  readonly onPhase?: (phase: Phase, request: ProxyRequest) => void | Promise<void>;
}

/** What there is to go wrong, without the request that it happens to. */
export type Fault = Pick<ChaosRule, 'forward' | 'waitMs' | 'answer' | 'delivery'>;

export interface ArmedRule {
  /** Requests it has struck. */
  readonly strikes: number;
  /** Struck requests that have come to this phase. */
  count(phase: Phase): number;
  /** Resolves as soon as so many struck requests have come to this phase, 1 by default. */
  reached(phase: Phase, count?: number): Promise<void>;
  /** Strikes no more. What hangs because of it goes on hanging. */
  remove(): void;
}

/** The side of a rule that the proxy sees. */
export interface ActiveRule extends ArmedRule {
  readonly rule: ChaosRule;
  /** Takes the request if it is this rule's. */
  claims(request: ProxyRequest): boolean;
  /** Notes that a struck request has come this far. */
  note(phase: Phase, request: ProxyRequest): Promise<void>;
}

export function activate(rule: ChaosRule, onRemove: (active: ActiveRule) => void): ActiveRule {
  const { nth = 1, times = Infinity } = rule;
  const counts: Record<Phase, number> = { arrived: 0, executed: 0, replied: 0 };
  const waiting = new Set<{ readonly phase: Phase; readonly count: number; readonly resolve: () => void }>();
  let matched = 0;
  let strikes = 0;
  const active: ActiveRule = {
    rule,
    get strikes() {
      return strikes;
    },
    count: (phase) => counts[phase],
    reached: (phase, count = 1) =>
      new Promise((resolve) => {
        if (counts[phase] >= count) resolve();
        else waiting.add({ phase, count, resolve });
      }),
    remove: () => {
      onRemove(active);
    },
    claims: ({ method, path }) => {
      if (method !== rule.method || !rule.path.test(path)) return false;
      matched += 1;
      if (matched < nth || strikes >= times) return false;
      strikes += 1;
      return true;
    },
    note: async (phase, request) => {
      counts[phase] += 1;
      for (const waiter of waiting) {
        if (waiter.phase !== phase || counts[phase] < waiter.count) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
      await rule.onPhase?.(phase, request);
    },
  };
  return active;
}
