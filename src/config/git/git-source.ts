import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.js';
import { ageProblem } from './git-age.js';
import { attributesFile, keepFilesAsTheyAre } from './git-attributes.js';
import { createGitClient, GitFailure, type GitClient } from './git-client.js';
import type { Environment } from './git-environment.js';
import { explainFetch } from './git-explain.js';
import { writeKeys } from './git-keys.js';
import { MAX_STORE_BYTES } from './git-limits.js';
import { ACCEPTING, CANDIDATE, createGitRepository, type GitRepository } from './git-repository.js';
import { writeGitSettings } from './git-settings.js';
import { signatureOf } from './git-signature.js';
import { createGitTrials } from './git-trials.js';
import { refuseHuge } from './git-tree.js';
import { isLocalUrl, protocolOf, redactUrl } from './git-url.js';
import { createGitWriter, type GitWriter } from './git-writer.js';
import type { Signature, TrustedKeys } from '../signature.js';
import {
  ConfigSourceError,
  type CandidateOptions,
  type ConfigRevision,
  type ConfigSource,
  type TrialRecord,
} from '../source.js';

export interface GitSourceOptions {
  /** A clone, made by `cloneConfig` or by hand. */
  readonly confDir: string;
  readonly hostname: string;
  /** A private folder for git's settings; made when missing, may be deleted at any time. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly env: Environment;
  /** How long one git command may take, ms; a minute by default. */
  readonly deadlineMs?: number;
  /** How much git may hold for this clone; `MAX_STORE_BYTES` by default. */
  readonly maxStoreBytes?: number;
  /** Least time between two questions to a remote, ms; asked each time, for it comes from the configuration itself. */
  readonly remoteIntervalMs: () => number;
  /** 0 <= x < 1; spreads the questions of many hosts. */
  readonly random?: () => number;
  /** Whether tags are of interest: they cost one more question to the server. */
  readonly wantsTags?: () => Promise<boolean>;
}

/** A source that can tell of a commit who signed it. */
export interface SignedSource extends ConfigSource {
  /** Of a revision of this source. */
  signatureOf(revision: ConfigRevision, keys: TrustedKeys, signal?: AbortSignal): Promise<Signature>;
  /** What is wrong with the age of a candidate, as a sentence with the cure; undefined: nothing. */
  ageProblem(candidate: ConfigRevision, signal?: AbortSignal): Promise<string | undefined>;
}

interface Asked {
  readonly url: string;
  readonly branch: string;
  readonly monoMs: number;
  /** Shifts the next question by -10 % to +10 % of the interval. */
  readonly jitter: number;
  readonly failure: ConfigSourceError | undefined;
}

function commitOf(revisionId: string): string {
  return revisionId.replace(/\+local$/, '');
}

function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}

/** Follows a branch of a git repository; the tree is only ever changed by `accept`. */
class GitSource implements SignedSource {
  readonly #options: GitSourceOptions;
  readonly #repository: GitRepository;
  readonly #writer: GitWriter;
  readonly trials: TrialRecord;
  readonly #git: GitClient;
  #protocol: string | undefined;
  #attributesFile: string | undefined;
  /** What was written last for the programs that check signatures. */
  #keys: TrustedKeys | undefined;
  #asked: Asked | undefined;
  /** Why the tags of the candidate are not here. */
  #tagsProblem: string | undefined;
  #description: string;

  constructor(options: GitSourceOptions) {
    const { confDir, stateDir, env, clock, deadlineMs = 60_000, maxStoreBytes = MAX_STORE_BYTES } = options;
    this.#options = options;
    this.#description = `the git clone ${confDir}`;
    const protocol = () => this.#protocol;
    const git = createGitClient({ dir: confDir, settingsFolder: stateDir, env, protocol, clock, deadlineMs });
    this.#git = git;
    this.#repository = createGitRepository(git, confDir, options.hostname);
    const repository = this.#repository;
    this.#writer = createGitWriter({ git, repository, confDir, clock, graceMs: deadlineMs, maxStoreBytes });
    const trials = createGitTrials({ git, repository, writer: this.#writer });
    this.trials = {
      proven: (signal) => this.#inClone(() => trials.proven(signal), signal),
      condemned: (signal) => this.#inClone(() => trials.condemned(signal), signal),
      prove: (revision) => this.#inClone(() => trials.prove(revision)),
      condemn: (condemned) => this.#inClone(() => trials.condemn(condemned)),
    };
  }

  describe(): string {
    return this.#description;
  }

  isFollowing(): boolean {
    return this.#protocol !== undefined;
  }

  async current(signal?: AbortSignal): Promise<ConfigRevision> {
    return this.#guard(async () => {
      await this.#follows(signal);
      // Half of a tree is nobody's edit: what counts is the commit it came from.
      const halfway = await this.#repository.resolve(ACCEPTING, signal);
      const head = halfway === undefined ? undefined : await this.#repository.resolve('HEAD', signal);
      return head === undefined ? this.#repository.workTree(signal) : this.#repository.commit(head, signal);
    });
  }

  async unedited(signal?: AbortSignal): Promise<ConfigRevision | undefined> {
    return this.#guard(async () => {
      const head = await this.#repository.resolve('HEAD', signal);
      return head === undefined ? undefined : this.#repository.commit(head, signal);
    });
  }

  async candidate({ force = false, signal }: CandidateOptions = {}): Promise<ConfigRevision | undefined> {
    return this.#guard(async () => {
      const followed = await this.#follows(signal);
      await this.#writer.repair(signal);
      if (followed === undefined) return undefined;
      if (force || this.#isDue(followed)) await this.#ask(followed, signal);
      // Between two questions the answer stays what it was, failures included.
      if (this.#asked?.failure) throw this.#asked.failure;
      const candidate = await this.#repository.resolve(CANDIDATE, signal);
      if (candidate === undefined || candidate === (await this.#repository.resolve('HEAD', signal))) return undefined;
      await refuseHuge(this.#git, candidate, signal);
      return this.#repository.commit(candidate, signal);
    });
  }

  async signatureOf({ id }: ConfigRevision, keys: TrustedKeys, signal?: AbortSignal): Promise<Signature> {
    return this.#guard(async () => {
      if (id.endsWith('+local'))
        return { problem: `files were edited by hand, and these nobody signed; ${this.#undo()}` };
      // A repository before its first commit.
      if (!isCommitId(id)) return { problem: `there is no commit to sign in ${this.#options.confDir} yet; make one` };
      if (!isDeepStrictEqual(this.#keys, keys)) await writeKeys(this.#options.stateDir, keys);
      this.#keys = keys;
      const found = await signatureOf(this.#git, id, keys, signal);
      if ('by' in found || this.#tagsProblem === undefined) return found;
      return { problem: `${found.problem}; its tags could not be fetched (${this.#tagsProblem})` };
    });
  }

  async ageProblem({ id }: ConfigRevision, signal?: AbortSignal): Promise<string | undefined> {
    return this.#guard(() => {
      return ageProblem(this.#git, this.#repository, commitOf(id), this.#options.clock.now().wallMs, signal);
    });
  }

  async accept({ id }: ConfigRevision, signal?: AbortSignal): Promise<void> {
    return this.#guard(async () => {
      const followed = await this.#follows(signal);
      await this.#writer.checkOut(commitOf(id), followed?.branch, signal);
    });
  }

  /** What the clone follows now; refreshes git's settings on the way, for the URL may hold credentials. */
  async #follows(signal?: AbortSignal) {
    const { confDir, stateDir } = this.#options;
    // Without these git may refuse to look into the clone at all.
    await writeGitSettings({ folder: stateDir, repository: confDir, url: undefined });
    this.#attributesFile ??= await attributesFile(this.#git, confDir, signal);
    // Who may not write to the clone still may read it.
    await keepFilesAsTheyAre(this.#attributesFile).catch(() => undefined);
    const followed = await this.#repository.follows(signal);
    this.#protocol = followed && protocolOf(followed.url);
    if (followed) await writeGitSettings({ folder: stateDir, repository: confDir, url: followed.url });
    this.#description = followed
      ? `branch ${followed.branch} of ${redactUrl(followed.url)} in ${confDir}`
      : `the git clone ${confDir}, which follows no branch`;
    return followed;
  }

  #isDue({ url, branch }: { url: string; branch: string }): boolean {
    const asked = this.#asked;
    if (asked?.url !== url || asked.branch !== branch || isLocalUrl(url)) return true;
    const interval = this.#options.remoteIntervalMs();
    return this.#options.clock.now().monoMs - asked.monoMs >= interval * asked.jitter;
  }

  async #ask({ url, branch }: { url: string; branch: string }, signal?: AbortSignal): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    const asked = { url, branch, monoMs: clock.now().monoMs, jitter: 0.9 + 0.2 * random() };
    try {
      await this.#writer.fetch(branch, signal);
      if ((await this.#options.wantsTags?.()) === true) await this.#askForTags(signal);
      this.#asked = { ...asked, failure: undefined };
    } catch (error) {
      // Being told to stop says nothing about the server.
      if (!(error instanceof GitFailure) || error.kind === 'aborted') throw error;
      this.#asked = { ...asked, failure: explainFetch(error, url, branch) };
    }
  }

  /** Only what nobody signed needs them: not to have them is no reason to stop. */
  async #askForTags(signal?: AbortSignal): Promise<void> {
    this.#tagsProblem = undefined;
    try {
      await this.#writer.fetchTags(signal);
    } catch (error) {
      if (!(error instanceof GitFailure) || error.kind === 'aborted') throw error;
      this.#tagsProblem = error.message;
    }
  }

  async #inClone<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    return this.#guard(async () => {
      await this.#follows(signal);
      return work();
    });
  }

  #undo(): string {
    return `commit, sign and push the edits, or drop them with "git -C ${this.#options.confDir} reset --hard"`;
  }

  /** Turns what git and the file system say into our words. */
  async #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ConfigSourceError) throw error;
      const { confDir } = this.#options;
      const why = error instanceof Error ? redactUrl(error.message) : String(error);
      throw new ConfigSourceError(
        'broken',
        `The git clone ${confDir} cannot be used: ${why}; see ${join(confDir, '.git')}.`,
      );
    }
  }
}

/** A source that follows the branch checked out in `confDir`. Reading needs no right to write there. */
export function createGitSource(options: GitSourceOptions): SignedSource {
  return new GitSource(options);
}
