import { lstat } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import { loadConfig } from '../../config/load.js';
import { formatProblem } from '../../config/problem.js';
import type { Config } from '../../config/schema.js';
import { tightenings } from '../../config/tighten.js';
import { EngineError, type ContainerEngine } from '../../engine/container-engine.js';
import type { HostFacts } from '../../model.js';
import { parseBind, type OwnPlaces } from '../../policy/match-bind.js';
import { narrow } from '../../policy/narrow.js';
import { readPolicyFile } from '../../policy/policy-file.js';
import { createPathLook } from '../../daemon/path-look.js';
import { withDeadline } from '../../observe/deadline.js';
import { unsafeBinds } from '../../policy/safe-path.js';
import { readConfigInUse } from '../config-files.js';
import { CliError, systemErrorCode } from '../exit-codes.js';
import { advice, bad, fine, type Finding } from './finding.js';

/** A path on a dead file server must not hold up all the rest. */
const LOOK_MS = 2_000;

export interface ConfigurationPlaces {
  readonly confDir: string;
  readonly policyFile: string;
  readonly own: OwnPlaces;
  readonly uid: number;
  readonly clock: Clock;
  readonly host: HostFacts;
  /** The engine is on this host, and so are the paths of binds. */
  readonly isLocal: boolean;
}

/** The configuration in use, or what is wrong with it. */
export async function lookAtConfiguration({
  confDir,
  host,
}: ConfigurationPlaces): Promise<{ readonly findings: readonly Finding[]; readonly config: Config | undefined }> {
  const cure = 'planctonctl config check';
  try {
    const layers = await readConfigInUse(confDir, host.hostname);
    const result = loadConfig(layers, host);
    if (!result.ok) {
      const text = result.problems.map((problem) => formatProblem(problem, undefined)).join('; ');
      return { findings: [bad('configuration', text, cure)], config: undefined };
    }
    const { config, warnings } = result;
    const from = layers.length === 0 ? `none in ${confDir}: the defaults` : layers.map(({ file }) => file).join(', ');
    const told = warnings.map((problem) => advice('configuration', formatProblem(problem, undefined), cure));
    return { findings: [fine('configuration', from), ...told, ...lookAtTightness(config)], config };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { findings: [bad('configuration', error.message, cure)], config: undefined };
  }
}

function lookAtTightness(config: Config): readonly Finding[] {
  const tighter = tightenings(config);
  if (tighter.length === 0) return [fine('containment', 'pilots get no more than most of them need')];
  const keys = tighter.map(({ key }) => key).join(', ');
  return [advice('containment', `could be tighter: ${keys}`, 'planctonctl config check says how, and at what price')];
}

/** What this host allows, and whether the configuration keeps to it. */
export async function lookAtPolicy(
  { policyFile, own, uid, clock, isLocal }: ConfigurationPlaces,
  config: Config | undefined,
): Promise<readonly Finding[]> {
  const state = await readPolicyFile(policyFile, uid);
  if (!state.ok) return [bad('policy', state.why, 'planctonctl policy check')];
  if (config === undefined) return [fine('policy', policyFile)];
  const { clamps, refusals } = narrow(config, state.policy, own);
  const look = createPathLook(clock, uid);
  const lookAtPath = async (path: string) => {
    const { unsafe: why, unknown } = await look(path);
    return why ?? unknown;
  };
  const unsafe = isLocal ? await unsafeBinds(config, lookAtPath) : [];
  const refused = [...refusals, ...unsafe];
  const cure = 'change the configuration, or as root the policy; planctonctl policy check';
  return [
    ...(refused.length === 0 ? [fine('policy', `${policyFile} allows what the configuration asks for`)] : []),
    ...refused.map((text) => bad('policy', text, cure)),
    ...clamps.map((text) => advice('policy', text, cure)),
  ];
}

/** Sources of binds that are not there: the engine refuses to start what binds them. */
export async function lookAtBinds(
  { clock }: Pick<ConfigurationPlaces, 'clock'>,
  { binds, bind_options: options }: Config,
): Promise<readonly Finding[]> {
  const sources = binds.map((bind) => parseBind(bind, options).source);
  const found = await Promise.all(sources.map((source) => lookAtBind(clock, source)));
  const troubles = found.filter((finding) => finding !== undefined);
  return troubles.length > 0 || binds.length === 0 ? troubles : [fine('binds', 'all of them are there')];
}

/** Undefined: it is there. */
async function lookAtBind(clock: Clock, source: string): Promise<Finding | undefined> {
  try {
    await withDeadline(clock, LOOK_MS, `looking at ${source}`, lstat(source));
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return bad('binds', `${source} is not on this host`, 'make or mount it, or take it out of binds');
    }
    return { name: 'binds', state: 'unknown', text: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether there is something to start pilots from. */
export async function lookAtImage(
  engine: Pick<ContainerEngine, 'findImage'>,
  { docker_image: reference }: Config,
): Promise<readonly Finding[]> {
  try {
    if ((await engine.findImage(reference)) !== null) return [fine('image', `${reference} is on this host`)];
    const cure = `the daemon pulls it; if that fails: docker pull ${reference}, and planctonctl status`;
    return [advice('image', `${reference} is not on this host yet`, cure)];
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return [{ name: 'image', state: 'unknown', text: error.message }];
  }
}
