import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type ConfigText } from '../config/load.js';
import { renderValue } from '../config/render.js';
import type { Config, Key } from '../config/schema.js';
import type { SignatureRules, TrustedKey } from '../config/signature.js';
import type { HostFacts } from '../model.js';
import { unsafeBinds, unsafePath } from '../policy/safe-path.js';
import { formatPolicyProblem, loadPolicy } from '../policy/load-policy.js';
import type { OwnPlaces } from '../policy/match-bind.js';
import { narrow, type Narrowed } from '../policy/narrow.js';
import { neededPolicy, renderPolicyFile, writtenPolicy } from '../policy/needed-policy.js';
import { readPolicyFile, type PolicyState } from '../policy/policy-file.js';
import { policyKeys, type Policy } from '../policy/policy.js';
import { readSignatureRules } from '../policy/signature-rules.js';
import { CliError, exitCodes, explainError, systemErrorCode } from './exit-codes.js';
import { withoutControls } from '../config/source-line.js';
import { jsonText } from './json-text.js';
import { createDirectories } from './paths.js';

/** What the commands about the policy need; they look at no engine and at no daemon. */
export interface PolicyCommandDeps {
  readonly uid: number;
  /** The policy in use. */
  policyFile(): string;
  host(): Promise<HostFacts>;
  /** The files of the configuration in use. */
  layers(): Promise<readonly ConfigText[]>;
  /** Any file, as it is. */
  readFile(file: string): Promise<ConfigText>;
  own(): OwnPlaces;
  out(text: string): void;
  err(text: string): void;
  /** Told the exit code of the command once it is done. */
  exit(code: number): void;
}

const apiVersion = 'plancton/v1';

/** The policy in use, or the one in `file`, which need not belong to root yet. */
async function readPolicy(deps: PolicyCommandDeps, file: string | undefined): Promise<PolicyState> {
  if (file === undefined) return readPolicyFile(deps.policyFile(), deps.uid);
  const text = await deps.readFile(file);
  const verdict = loadPolicy(text);
  if (verdict.ok) return verdict;
  return { ok: false, why: verdict.problems.map((problem) => formatPolicyProblem(problem, text.text)).join('\n') };
}

/** The configuration in use. Throws a CliError (78) where it is none. */
async function readConfig(deps: PolicyCommandDeps): Promise<Config> {
  const result = loadConfig(await deps.layers(), await deps.host());
  if (result.ok) return result.config;
  throw new CliError(exitCodes.config, 'the configuration in use is not valid: planctonctl config check');
}

async function effectOf(deps: PolicyCommandDeps, policy: Policy): Promise<Narrowed> {
  const config = await readConfig(deps);
  const narrowed = narrow(config, policy, deps.own());
  const unsafe = await unsafeBinds(config, (path) => unsafePath(path, deps.uid));
  return { ...narrowed, refusals: [...narrowed.refusals, ...unsafe] };
}

/** Whether the policy is one, and what the configuration in use becomes under it; 0 or 78. */
async function check(deps: PolicyCommandDeps, file: string | undefined, json: boolean): Promise<number> {
  const name = file ?? deps.policyFile();
  const state = await readPolicy(deps, file);
  if (!state.ok) {
    if (json) deps.out(jsonText({ apiVersion, file: name, valid: false, why: state.why }, 2));
    else deps.err(state.why);
    return exitCodes.config;
  }
  const effect = await effectOf(deps, state.policy);
  const rules = await readSignatureRules(state, deps.uid);
  const { clamps } = effect;
  const refusals = [...effect.refusals, ...unusableKeys(rules)];
  const exitCode = refusals.length === 0 ? exitCodes.ok : exitCodes.config;
  if (json) {
    const signatures = { mode: rules.mode, keys: keysOf(rules) };
    deps.out(jsonText({ apiVersion, file: name, valid: true, signatures, clamps, refusals }, 2));
    return exitCode;
  }
  deps.out(`valid: ${name}`);
  for (const line of signatureLines(rules)) deps.out(line);
  for (const clamp of clamps) deps.out(`capped: ${clamp}`);
  for (const refusal of refusals) deps.err(`refused: ${refusal}`);
  if (refusals.length === 0) deps.out('the configuration in use keeps to it');
  else deps.err('no pilot is started with the configuration in use');
  return exitCode;
}

function keysOf(rules: SignatureRules): readonly TrustedKey[] {
  return 'keys' in rules && typeof rules.keys !== 'string' ? rules.keys.list : [];
}

function unusableKeys(rules: SignatureRules): readonly string[] {
  return 'keys' in rules && typeof rules.keys === 'string' ? [`no signature can be checked: ${rules.keys}`] : [];
}

/** What is wanted of signatures, and whose count. */
function signatureLines(rules: SignatureRules): readonly string[] {
  const keys = keysOf(rules).map(
    ({ kind, name, fingerprint }) => `may sign: ${withoutControls(name)} (${kind}, ${fingerprint})`,
  );
  return [`signatures of the configuration: ${rules.mode}`, ...keys];
}

/** The policy in use, each key, and whose signatures count. */
async function show(deps: PolicyCommandDeps, json: boolean): Promise<number> {
  const state = await readPolicy(deps, undefined);
  if (!state.ok) {
    deps.err(state.why);
    return exitCodes.config;
  }
  const written = writtenPolicy(state.policy);
  const rules = await readSignatureRules(state, deps.uid);
  if (json) {
    const shown = { apiVersion, file: deps.policyFile(), policy: written, signingKeys: keysOf(rules) };
    deps.out(jsonText(shown, 2));
    return exitCodes.ok;
  }
  const lines = Object.entries<Key>(policyKeys).map(([name, { unit }]) => {
    return `${name}: ${renderValue(written[name as keyof Policy], unit)}`;
  });
  deps.out(lines.join('\n'));
  for (const line of signatureLines(rules)) deps.out(`# ${line}`);
  for (const problem of unusableKeys(rules)) deps.err(problem);
  return exitCodes.ok;
}

/** Writes the narrowest policy under which the configuration in use works, where there is none. */
async function init(deps: PolicyCommandDeps): Promise<number> {
  const file = deps.policyFile();
  const text = renderPolicyFile(neededPolicy(await readConfig(deps)));
  try {
    createDirectories([dirname(file)]);
    writeFileSync(file, text, { mode: 0o644, flag: 'wx' });
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason = systemErrorCode(error) === 'EEXIST' ? 'it is there already' : explainError(error).text;
    throw new CliError(exitCodes.cannotCreate, `cannot write ${file}: ${reason}`, { cause: error });
  }
  deps.out(`${file} is written; look at it: planctonctl policy show`);
  // There is what no policy allows.
  return check(deps, undefined, false);
}

/** Adds `policy check`, `policy show` and `policy init`. */
export function addPolicyCommands(program: Command, deps: PolicyCommandDeps): void {
  const policy = program
    .command('policy')
    .description('check, show or make what pilots may have on this host; needs no engine and no daemon');
  policy
    .command('check [file]')
    .description('tell what is wrong with a policy, and what the configuration in use becomes under it')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: { json?: boolean }) => {
      deps.exit(await check(deps, file, options.json === true));
    });
  policy
    .command('show')
    .description('print the policy in use')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      deps.exit(await show(deps, options.json === true));
    });
  policy
    .command('init')
    .description('write a policy that allows what the configuration in use asks for, where there is none')
    .action(async () => {
      deps.exit(await init(deps));
    });
}
