import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.js';
import type { Proof } from '../model.js';
import {
  sameRefusal,
  type InForce,
  type KeeperNews,
  type KeeperState,
  type Refusal,
  type Verdict,
} from './keeper-state.js';
import { BASE_FILE, type ConfigText } from './layers.js';
import { sourceError, type ConfigRevision, type ConfigSource } from './source.js';
import { Trials } from './trials.js';

export type { InForce, KeeperNews, KeeperState, Refusal, Verdict } from './keeper-state.js';

export interface KeeperOptions<Config> {
  readonly source: ConfigSource;
  /** Must not throw: whatever a configuration holds, it has a verdict. */
  readonly load: (layers: readonly ConfigText[]) => Verdict<Config>;
  /** Why a newer configuration cannot be used on this host, as only a look at the host can tell; it can, unless given. Must not reject. */
  readonly inspect?: (config: Config) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Whether pilots are the same under both, so that what one has proven holds for the other; never, unless given. */
  readonly samePilots?: (a: Config, b: Config) => boolean;
  /** What pilots get by `config` and not by `than`: it is not gone back to then; nothing, unless given. */
  readonly extraRights?: (than: Config, config: Config) => readonly string[];
}

export interface RefreshOptions {
  /** Ask a remote now, however short ago it was asked. */
  readonly force?: boolean;
  readonly signal?: AbortSignal;
}

/** Keeps the last known good configuration: once one is in force, only a better one takes its place. */
export interface ConfigKeeper<Config> {
  readonly state: KeeperState<Config>;
  /** How far what is in force can be trusted. */
  readonly proof: Proof;
  /** Loads what is on this host, without waiting for a server unless nothing here is valid. */
  start(signal?: AbortSignal): Promise<KeeperNews<Config>>;
  /**
   * Why no pilot may be started from a revision, the one in force unless another is named; undefined: they may. `refresh` looks again at the one
   * in force. Never rejects.
   */
  distrust(revisionId?: string): Promise<string | undefined>;
  /** Looks for edits by hand and for something newer. Calls that overlap run one after the other. */
  refresh(options?: RefreshOptions): Promise<KeeperNews<Config>>;
  /** Pilots have shown that `tried` works. Nothing happens if something else is in force by now. */
  prove(tried: InForce<Config>): Promise<void>;
  /**
   * Pilots have shown that `tried` does not work, for the reason in the sentence `why`: the revision that was proven last is put in force
   * again, and `tried` is refused from now on. Nothing happens where there is nothing to go back to; where it may not be gone back to the
   * news is a refusal, and `tried` stays.
   */
  condemn(tried: InForce<Config>, why: string): Promise<KeeperNews<Config>>;
}

/** Said of a condemned revision that is still there, as edits by hand are. */
const LEFT_AS_IT_IS = 'its files are left as they are and not in force: change them to have them tried again';

type Judged<Config> = { readonly good: InForce<Config> } | { readonly bad: Refusal };

/** Keeps what is in force; `#last` is the end of the queue, so that no two looks overlap. */
class Keeper<Config> implements ConfigKeeper<Config> {
  readonly #options: KeeperOptions<Config>;
  readonly #trials: Trials;
  #state: KeeperState<Config> = { inForce: undefined, refused: undefined, unreachable: undefined };
  #last: Promise<unknown> = Promise.resolve();
  /** What could not give way, and why. */
  #stays: { readonly tried: InForce<Config>; readonly bad: Refusal } | undefined;

  constructor(options: KeeperOptions<Config>) {
    this.#options = options;
    this.#trials = new Trials(options.source.trials);
  }

  get state(): KeeperState<Config> {
    return this.#state;
  }

  get proof(): Proof {
    const { inForce } = this.#state;
    if (inForce !== undefined && this.#trials.isProven(inForce.revision)) return 'proven';
    return this.#trials.proven === undefined ? 'first' : 'on-probation';
  }

  async distrust(revisionId = this.#state.inForce?.revision.id): Promise<string | undefined> {
    return revisionId === undefined ? undefined : this.#options.source.distrust?.(revisionId);
  }

  start(signal?: AbortSignal): Promise<KeeperNews<Config>> {
    return this.#enqueue(async () => {
      await this.#trials.recall(signal);
      return this.#look(true, { force: true, ...(signal && { signal }) });
    });
  }

  refresh(options: RefreshOptions = {}): Promise<KeeperNews<Config>> {
    return this.#enqueue(() => this.#look(false, options));
  }

  prove(tried: InForce<Config>): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#state.inForce === tried) await this.#trials.prove(tried.revision);
    });
  }

  condemn(tried: InForce<Config>, why: string): Promise<KeeperNews<Config>> {
    return this.#enqueue(() => this.#goBack(tried, why));
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #goBack(tried: InForce<Config>, why: string): Promise<KeeperNews<Config>> {
    const { inForce, unreachable } = this.#state;
    if (inForce !== tried || this.proof !== 'on-probation') return { type: 'unchanged' };
    const judged = await this.#judgeProven();
    if (judged === undefined) return { type: 'unchanged' };
    if ('bad' in judged) return this.#stay(tried, judged.bad, why);
    const back = judged.good;
    // Pilots that fail on purpose could have a ban lifted again.
    const more = this.#options.extraRights?.(tried.config, back.config) ?? [];
    if (more.length > 0) {
      const problem = `it gives pilots more than the newer one does (${more.join(', ')}); mend the newer one`;
      return this.#stay(tried, this.#refuse(back.revision.id, [problem]).bad, why);
    }
    await this.#trials.condemn({ revision: tried.revision, why });
    await this.#putBack(back.revision);
    const there = await this.#judgeCurrent(back);
    return this.#settle({
      inForce: back,
      ...refusedOf('bad' in there ? there : this.#judge(tried.revision)),
      unreachable,
    });
  }

  /** Says why the one proven before does not take the place of `tried`, until something else does. */
  #stay(tried: InForce<Config>, { revisionId, problems }: Refusal, why: string): KeeperNews<Config> {
    const told = `${why}; and yet what was proven before does not take its place:`;
    this.#stays = { tried, ...this.#refuse(revisionId, [told, ...problems]) };
    return this.#settle(this.#state);
  }

  /** Files that a person edited stay as they are, and so does a folder without git; what is in force is another matter. */
  async #putBack(revision: ConfigRevision): Promise<void> {
    await this.#options.source.accept(revision).catch(sourceError);
  }

  /** The one to go back to, by the keys and the policy of today. */
  async #judgeProven(signal?: AbortSignal): Promise<Judged<Config> | undefined> {
    const { proven } = this.#trials;
    if (proven === undefined) return undefined;
    try {
      await this.#options.source.vouch?.(proven, signal);
    } catch (error) {
      return this.#refuse(proven.id, [sourceError(error).message]);
    }
    return this.#load(proven);
  }

  async #look(starting: boolean, options: RefreshOptions): Promise<KeeperNews<Config>> {
    const news = await this.#find(starting, options);
    if (news.type === 'accepted') await this.#inherit(news.inForce);
    await this.#vouchAgain(options.signal);
    return news;
  }

  /** What is in force need not be what lies in the folder. */
  async #vouchAgain(signal: AbortSignal | undefined): Promise<void> {
    const { inForce } = this.#state;
    if (inForce === undefined || (await this.distrust()) === undefined) return;
    await this.#options.source.vouch?.(inForce.revision, signal).catch(sourceError);
  }

  /** Under another name the same pilots need no trial. */
  async #inherit({ revision, config }: InForce<Config>): Promise<void> {
    if (this.#trials.isProven(revision)) return;
    const proven = await this.#judgeProven();
    if (proven === undefined || 'bad' in proven) return;
    if (this.#options.samePilots?.(proven.good.config, config) === true) await this.#trials.prove(revision);
  }

  async #find(starting: boolean, options: RefreshOptions): Promise<KeeperNews<Config>> {
    const { inForce, unreachable } = this.#state;
    const here = await this.#judgeCurrent(inForce, options.signal);
    if ('good' in here && here.good !== inForce) return this.#settle({ inForce: here.good, unreachable });
    if (starting && 'bad' in here) {
      const fallback = (await this.#judgeUnedited(options.signal)) ?? (await this.#fallBack());
      if (fallback) return this.#settle({ inForce: fallback, refused: here.bad });
    }
    const newer = await this.#judgeCandidate(options);
    if (newer === undefined) return this.#settle({ inForce, ...refusedOf(here) });
    if (typeof newer === 'string') return this.#settle({ inForce, ...refusedOf(here), unreachable: newer });
    if ('good' in newer) return this.#settle({ inForce: newer.good });
    // A bad tree needs the administrator first; naming the candidate too would tell both again and again.
    return this.#settle({ inForce, ...refusedOf('bad' in here ? here : newer) });
  }

  async #judgeCurrent(inForce: InForce<Config> | undefined, signal?: AbortSignal): Promise<Judged<Config>> {
    try {
      const revision = await this.#options.source.current(signal);
      if (inForce && isDeepStrictEqual(revision, inForce.revision)) return { good: inForce };
      const why = this.#whyCondemned(revision);
      return why === undefined ? this.#judge(revision) : this.#refuse(revision.id, [why, LEFT_AS_IT_IS]);
    } catch (error) {
      const { kind, message, revisionId } = sourceError(error);
      const { bad } = this.#refuse(revisionId ?? 'unreadable', [message]);
      return { bad: kind === 'rejected' ? bad : { ...bad, mayHeal: true } };
    }
  }

  async #judgeUnedited(signal: AbortSignal | undefined): Promise<InForce<Config> | undefined> {
    try {
      const revision = await this.#options.source.unedited(signal);
      const judged = revision && this.#judge(revision);
      return judged && 'good' in judged ? judged.good : undefined;
    } catch (error) {
      // The tree itself is bad already, and that is what gets reported.
      sourceError(error);
      return undefined;
    }
  }

  /** Undefined: nothing new. A string: why the source cannot tell. */
  async #judgeCandidate(options: RefreshOptions): Promise<Judged<Config> | string | undefined> {
    let revision: ConfigRevision | undefined;
    try {
      revision = await this.#options.source.candidate(options);
      if (!revision) return undefined;
      const judged = await this.#inspect(this.#judge(revision));
      // Only what was found good is put in place, and only what is in place counts as in force.
      if ('good' in judged) await this.#options.source.accept(revision, options.signal);
      return judged;
    } catch (error) {
      const { kind, message, revisionId } = sourceError(error);
      // A lock or a full disk is not the fault of the revision.
      return kind === 'rejected' ? this.#refuse(revisionId ?? revision?.id ?? 'unknown', [message]) : message;
    }
  }

  /** What is in force already is looked at in every cycle. */
  async #inspect(judged: Judged<Config>): Promise<Judged<Config>> {
    // Without any the pilots that run would not be looked after either.
    if ('bad' in judged || this.#state.inForce === undefined) return judged;
    const { revision, config } = judged.good;
    const found = (await this.#options.inspect?.(config)) ?? [];
    return found.length === 0 ? judged : this.#refuse(revision.id, found);
  }

  /** For a daemon that was killed before it had put back what was proven. */
  async #fallBack(): Promise<InForce<Config> | undefined> {
    const back = await this.#judgeProven();
    if (back === undefined || 'bad' in back) return undefined;
    await this.#putBack(back.good.revision);
    return back.good;
  }

  #judge(revision: ConfigRevision): Judged<Config> {
    const why = this.#whyCondemned(revision);
    if (why !== undefined) return this.#refuse(revision.id, [why]);
    if (!hasBase(revision) && this.#state.inForce !== undefined && hasBase(this.#state.inForce.revision)) {
      // An empty file says "the defaults"; a file that is gone says nothing.
      return this.#refuse(revision.id, ['config.yaml is gone; put it back (an empty one stands for the defaults)']);
    }
    return this.#load(revision);
  }

  #whyCondemned(revision: ConfigRevision): string | undefined {
    const why = this.#trials.whyCondemned(revision);
    const alike = why === undefined ? this.#trials.whyCondemnedAs(revision) : undefined;
    if (alike === undefined) return why;
    const verdict = this.#options.load(revision.layers);
    // Pilots that see more of a revision than its settings may be mended by what else is in it.
    return verdict.ok && this.#options.samePilots?.(verdict.config, verdict.config) === true ? alike : undefined;
  }

  #load(revision: ConfigRevision): Judged<Config> {
    const verdict = this.#options.load(revision.layers);
    if (!verdict.ok) return this.#refuse(revision.id, verdict.problems);
    const { config } = verdict;
    const signature = this.#options.source.signature?.(revision);
    const unsigned = signature && 'problem' in signature ? [signature.problem] : [];
    const warnings = [...unsigned, ...verdict.warnings];
    return { good: { revision, config, warnings, sinceWallMs: this.#options.clock.now().wallMs } };
  }

  #refuse(revisionId: string, problems: readonly string[]): { bad: Refusal } {
    return { bad: { revisionId, problems, sinceWallMs: this.#options.clock.now().wallMs } };
  }

  /** Makes the outcome of one look the state, and tells what of it is news. */
  #settle({ inForce, refused: found, unreachable }: Partial<KeeperState<Config>>): KeeperNews<Config> {
    const before = this.#state;
    const refused = found ?? (this.#stays !== undefined && this.#stays.tried === inForce ? this.#stays.bad : undefined);
    const known = sameRefusal(before.refused, refused);
    this.#state = { inForce, refused: known ? before.refused : refused, unreachable };
    const news = known ? undefined : refused;
    if (inForce && inForce !== before.inForce) return { type: 'accepted', inForce, refused: news };
    if (news) return { type: 'refused', refused: news };
    if (unreachable === undefined || unreachable === before.unreachable) return { type: 'unchanged' };
    return { type: 'unreachable', message: unreachable };
  }
}

function hasBase({ layers }: ConfigRevision): boolean {
  return layers.some(({ file }) => file === BASE_FILE);
}

function refusedOf<Config>(judged: Judged<Config>): { refused?: Refusal } {
  return 'bad' in judged ? { refused: judged.bad } : {};
}

/** Creates a keeper with nothing in force yet. Its methods reject only on a bug. */
export function createConfigKeeper<Config>(options: KeeperOptions<Config>): ConfigKeeper<Config> {
  return new Keeper(options);
}
