import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { formatPolicyProblem, loadPolicy } from '../../policy/load-policy.js';
import { narrow } from '../../policy/narrow.js';
import { neededPolicy, renderPolicyFile } from '../../policy/needed-policy.js';
import { readPolicyFile } from '../../policy/policy-file.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { writeFileAtomic } from '../write-file-atomic.js';
import type { BootstrapContext } from './context.js';

/** Who says that the configuration at hand may have what it asks for. */
export type Consent = 'given' | 'ask';

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Holds what bootstrap wrote, so that it takes back no policy that somebody has changed. */
function noteFile(stateDir: string): string {
  return join(stateDir, 'bootstrap-policy.sha256');
}

/** The lines of a policy that say something. */
function essence(policy: string): string {
  return policy
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => `  ${line}`)
    .join('\n');
}

/** What is there may have been written for good reasons: it is never widened here. Throws a CliError (78). */
async function keepTo(context: BootstrapContext, config: Config): Promise<void> {
  const { policyFile } = context.places;
  const state = await readPolicyFile(policyFile, context.uid);
  if (!state.ok) throw new CliError(exitCodes.config, state.why);
  const { refusals } = narrow(config, state.policy, context.own);
  if (refusals.length === 0) {
    context.out(`the policy in ${policyFile} allows what the configuration asks for`);
    return;
  }
  const cure = `edit ${policyFile} if that is wanted, or the configuration, and run this again`;
  throw new CliError(
    exitCodes.config,
    ['the policy of this host refuses the configuration:', ...refusals, cure].join('\n'),
  );
}

/** There is what no policy allows. Throws a CliError (78). */
function refuseHopeless(context: BootstrapContext, config: Config, text: string): void {
  const verdict = loadPolicy({ file: context.places.policyFile, text });
  const refusals = verdict.ok
    ? narrow(config, verdict.policy, context.own).refusals
    : verdict.problems.map((problem) => formatPolicyProblem(problem, text));
  if (refusals.length === 0) return;
  throw new CliError(
    exitCodes.config,
    ['no policy can allow what the configuration asks for:', ...refusals].join('\n'),
  );
}

async function agree(context: BootstrapContext, consent: Consent): Promise<void> {
  if (consent === 'given') return;
  const answer = await context.ask('May pilots have this on this host? [y/N] ');
  if (answer === true) return;
  const why = answer === undefined ? 'nobody is there to agree; say --yes where that is meant' : 'not agreed';
  throw new CliError(exitCodes.usage, `${why}; nothing was started`);
}

/**
 * Sees to it that there is a policy under which the configuration works: the one that is there, or the narrowest one, shown and agreed to.
 * Throws a CliError: not agreed (64), refused by the policy that is there (78).
 */
export async function placePolicy(context: BootstrapContext, config: Config, consent: Consent): Promise<void> {
  const { policyFile, stateDir } = context.places;
  if (existsSync(policyFile)) return keepTo(context, config);
  const text = renderPolicyFile(neededPolicy(config));
  refuseHopeless(context, config, text);
  context.out(
    `what pilots may have on this host goes to ${policyFile}; only root can change it there:\n${essence(text)}`,
  );
  await agree(context, consent);
  writeFileSync(policyFile, text, { mode: 0o644, flag: 'wx' });
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeFileAtomic(noteFile(stateDir), `${digest(text)}\n`, 0o600);
}

/** The policy of a demo, in its own folder, where nobody needs to agree. */
export function writeDemoPolicy(policyFile: string, config: Config): void {
  mkdirSync(dirname(policyFile), { recursive: true, mode: 0o700 });
  writeFileSync(policyFile, renderPolicyFile(neededPolicy(config)), { mode: 0o600 });
}

/** Removes the policy if bootstrap wrote it and nobody changed it since. Returns a sentence on what came of it. */
export function removePolicy({ places }: Pick<BootstrapContext, 'places'>): string {
  const { policyFile, stateDir } = places;
  if (!existsSync(policyFile)) return `there is no policy in ${policyFile}`;
  const note = noteFile(stateDir);
  const isOurs =
    existsSync(note) &&
    lstatSync(policyFile).isFile() &&
    readFileSync(note, 'utf8').trim() === digest(readFileSync(policyFile, 'utf8'));
  if (!isOurs) return `${policyFile} stays, as it holds changes made by hand; remove it by hand`;
  rmSync(policyFile);
  rmSync(note);
  return `${policyFile} was removed`;
}
