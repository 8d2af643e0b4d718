import { createDiskGauge } from '../../observe/disk-gauge.js';
import type { CheckContext } from '../bootstrap/checks.js';
import { engineHost, type CliContext, type CliOptions } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { openEngine } from '../known-pilots.js';
import { withoutControls } from '../../config/source-line.js';
import { ownPlaces, resolvePaths } from '../paths.js';
import { lookAtBinds, lookAtConfiguration, lookAtImage, lookAtPolicy } from './of-configuration.js';
import { lookAtDaemon } from './of-daemon.js';
import { lookAtEngine, lookAtHost } from './of-host.js';
import type { Finding } from './finding.js';
import { jsonText } from '../json-text.js';

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok',
  advice: 'advice',
  problem: 'PROBLEM',
  unknown: 'unknown',
};

function formatFinding({ name, state, text, cure }: Finding): string {
  const head = `${MARKS[state].padEnd(8)} ${name.padEnd(14)} ${withoutControls(text)}`;
  return cure === undefined ? head : `${head}\n${' '.repeat(24)}-> ${withoutControls(cure)}`;
}

/** Everything that pilots need, in the order in which it is needed. */
export async function examine(context: CliContext, options: CliOptions): Promise<readonly Finding[]> {
  const paths = resolvePaths(options, context);
  const engine = await openEngine(context, options);
  const askDisk = createDiskGauge(context.clock);
  const checks: CheckContext = {
    ...{ uid: context.uid, clock: context.clock, engine },
    run: (file, args, deadlineMs) => context.run(file, args, deadlineMs),
    engineHost: engineHost(options, context),
    freeBytes: async (path) => (await askDisk(path).catch(() => undefined))?.freeBytes,
    places: {
      systemdRunDir: '/run/systemd/system',
      osRelease: '/etc/os-release',
      nodeFile: process.execPath,
      planctonctlFile: context.cliFile,
    },
  };
  const host = await context.readHost();
  const { confDir, policyFile, runDir } = paths;
  const { uid, clock } = context;
  const ofHost = await lookAtHost(checks);
  const { findings: ofEngine, info } = await lookAtEngine(checks);
  const isLocal = checks.engineHost.startsWith('unix:');
  const own = ownPlaces(paths, context.cliFile, checks.engineHost);
  const ofEngineItself = isLocal && info !== undefined ? [info.dataRoot] : [];
  const places = {
    confDir,
    policyFile,
    own: { ...own, hidden: [...own.hidden, ...ofEngineItself] },
    uid,
    clock,
    host,
    isLocal,
  };
  const { findings: ofConfiguration, config } = await lookAtConfiguration(places);
  return [
    ...ofHost,
    ...ofEngine,
    ...ofConfiguration,
    ...(await lookAtPolicy(places, config)),
    ...(config !== undefined && isLocal ? await lookAtBinds(places, config) : []),
    ...(config !== undefined && info !== undefined ? await lookAtImage(engine, config) : []),
    ...lookAtDaemon(runDir, context.clock.now().bootMs),
  ];
}

function verdict(findings: readonly Finding[]): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length;
  const problems = count('problem');
  if (problems > 0) return `${problems} ${problems === 1 ? 'problem' : 'problems'}`;
  if (count('unknown') > 0) return 'no problem was found, but not everything could be looked at';
  return count('advice') > 0 ? 'no problem was found; see the advice' : 'nothing keeps pilots from running';
}

/** Prints what there is of everything that pilots need, with cures. Returns the exit code: 69 where there is a problem. */
export async function runDoctor(
  context: CliContext,
  options: CliOptions & { readonly json?: boolean },
): Promise<number> {
  const findings = await examine(context, options);
  const problems = findings.filter(({ state }) => state === 'problem').length;
  if (options.json === true) {
    context.out(jsonText({ apiVersion: 'plancton/v1', kind: 'Examination', problems, findings }, 2));
  } else {
    context.out(findings.map(formatFinding).join('\n'));
    context.out(verdict(findings));
  }
  return problems === 0 ? exitCodes.ok : exitCodes.unavailable;
}
