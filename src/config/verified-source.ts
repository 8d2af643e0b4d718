import { isDeepStrictEqual } from 'node:util';
import type { SignatureRules, TrustedKeys, Signature } from './signature.js';
import {
  ConfigSourceError,
  sourceError,
  type CandidateOptions,
  type ConfigRevision,
  type ConfigSource,
  type TrialRecord,
} from './source.js';

/** What a source can tell of its revisions. */
export interface Witness {
  signatureOf(revision: ConfigRevision, keys: TrustedKeys, signal?: AbortSignal): Promise<Signature>;
  ageProblem(candidate: ConfigRevision, signal?: AbortSignal): Promise<string | undefined>;
}

const MOST_KNOWN = 16;

interface Known {
  readonly signature: Signature;
  /** Under which that was found out, its keys among them. */
  readonly rules: SignatureRules;
}

/** Lets through only what this host's rules on signatures let through; under `warn` all of it, with what is wrong. */
class VerifiedSource implements ConfigSource {
  readonly #source: ConfigSource;
  readonly #witness: Witness | undefined;
  readonly #rules: () => Promise<SignatureRules>;
  readonly trials?: TrialRecord;
  /** By the names of the revisions that came lately. */
  readonly #known = new Map<string, Known>();

  constructor(source: ConfigSource, witness: Witness | undefined, rules: () => Promise<SignatureRules>) {
    this.#source = source;
    this.#witness = witness;
    this.#rules = rules;
    const { trials } = source;
    // What was proven before anybody asked for signatures is nothing to go back to.
    if (trials !== undefined) this.trials = { ...trials, proven: (signal) => this.#proven(trials, signal) };
  }

  describe(): string {
    return this.#source.describe();
  }

  isFollowing(): boolean {
    return this.#source.isFollowing?.() === true;
  }

  async current(signal?: AbortSignal): Promise<ConfigRevision> {
    return this.#vouch(await this.#source.current(signal), signal);
  }

  async unedited(signal?: AbortSignal): Promise<ConfigRevision | undefined> {
    const revision = await this.#source.unedited(signal);
    return revision && this.#vouch(revision, signal);
  }

  async candidate(options: CandidateOptions = {}): Promise<ConfigRevision | undefined> {
    const revision = await this.#source.candidate(options);
    if (revision === undefined) return undefined;
    const rules = await this.#rules();
    if (rules.mode === 'unknown') throw refusal(revision, `it cannot be told whether it may, since ${rules.why}`);
    const age = rules.mode === 'off' ? undefined : await this.#witness?.ageProblem(revision, options.signal);
    return this.#vouch(revision, options.signal, age === undefined ? [] : [age]);
  }

  accept(revision: ConfigRevision, signal?: AbortSignal): Promise<void> {
    return this.#source.accept(revision, signal);
  }

  async vouch(revision: ConfigRevision, signal?: AbortSignal): Promise<void> {
    await this.#vouch(revision, signal);
  }

  async distrust(id: string): Promise<string | undefined> {
    const rules = await this.#rules();
    if (rules.mode !== 'require') return undefined;
    const known = this.#known.get(id);
    if (known !== undefined) this.#remember(id, known);
    const problem =
      known === undefined || !isDeepStrictEqual(known.rules, rules)
        ? 'it has not been checked yet against the policy as it is now'
        : 'problem' in known.signature && known.signature.problem;
    return problem ? `revision ${id.slice(0, 12)} is in force, but ${wanted}: ${problem}` : undefined;
  }

  signature({ id }: ConfigRevision): Signature | undefined {
    return this.#known.get(id)?.signature;
  }

  async #proven(trials: TrialRecord, signal?: AbortSignal): Promise<ConfigRevision | undefined> {
    const revision = await trials.proven(signal);
    try {
      return revision && (await this.#vouch(revision, signal));
    } catch (error) {
      if (sourceError(error).kind === 'rejected') return undefined;
      throw error;
    }
  }

  /** The revision, whose signature is known from then on; rejects where the rules refuse it. `known`: what is wrong with it already. */
  async #vouch(
    revision: ConfigRevision,
    signal: AbortSignal | undefined,
    known: readonly string[] = [],
  ): Promise<ConfigRevision> {
    const rules = await this.#rules();
    if (rules.mode === 'off' || rules.mode === 'unknown') {
      // What is in place stays; no pilot is started without a policy, and when there is one again it has to be vouched for.
      this.#known.delete(revision.id);
      return revision;
    }
    const signature = await this.#signatureOf(revision, rules.keys, signal);
    const problems = 'problem' in signature ? [signature.problem, ...known] : known;
    const problem = problems.join('; ');
    this.#remember(revision.id, { signature: problem === '' ? signature : { problem }, rules });
    if (rules.mode === 'require' && problem !== '') throw refusal(revision, `${wanted}: ${problem}`);
    return revision;
  }

  /** What pilots are started from is asked about, and so put last, again and again. */
  #remember(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    for (const old of [...this.#known.keys()].slice(0, -MOST_KNOWN)) this.#known.delete(old);
  }

  async #signatureOf(
    revision: ConfigRevision,
    keys: TrustedKeys | string,
    signal: AbortSignal | undefined,
  ): Promise<Signature> {
    if (typeof keys === 'string') return { problem: `no signature can be checked: ${keys}` };
    if (this.#witness !== undefined) return this.#witness.signatureOf(revision, keys, signal);
    return { problem: 'it is a plain folder, which nobody can sign; use a git repository with signed commits' };
  }
}

const wanted = 'this host requires signatures (config_signatures in its policy)';

function refusal({ id }: ConfigRevision, why: string): ConfigSourceError {
  return new ConfigSourceError('rejected', `Revision ${id.slice(0, 12)} is not put in force: ${why}.`, id);
}

/** A source of which only what is signed as `rules` want it comes through. `witness`: undefined where nothing can be signed. */
export function createVerifiedSource(
  source: ConfigSource,
  witness: Witness | undefined,
  rules: () => Promise<SignatureRules>,
): ConfigSource {
  return new VerifiedSource(source, witness, rules);
}
