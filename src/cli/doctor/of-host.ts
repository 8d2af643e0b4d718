import {
  askEngine,
  checkApi,
  checkCgroup,
  checkClock,
  checkCron,
  checkDisk,
  checkPrograms,
  type CheckContext,
} from '../bootstrap/checks.js';
import type { EngineInfo } from '../../engine/container-engine.js';
import { bad, fromProblems, type Finding } from './finding.js';

/** The engine, and whether it is one that pilots can run on. Its answer goes on to the looks that need it. */
export async function lookAtEngine(
  context: CheckContext,
): Promise<{ readonly findings: readonly Finding[]; readonly info: EngineInfo | undefined }> {
  const info = await askEngine(context);
  if ('what' in info) return { findings: [bad('engine', info.what, info.cure)], info: undefined };
  const { version, apiVersion, cgroupDriver, cgroupVersion, dataRoot } = info;
  const isLocal = context.engineHost.startsWith('unix:');
  const findings = [
    ...fromProblems(
      'engine',
      checkApi(context, info),
      `Docker Engine ${version} at ${context.engineHost}, API ${apiVersion}`,
    ),
    ...fromProblems('control groups', checkCgroup(info), `driver ${cgroupDriver}, version ${cgroupVersion}`),
    ...(isLocal ? fromProblems('disk', await checkDisk(context, info), `there is room in ${dataRoot}`) : []),
  ];
  return { findings, info };
}

/** What the host itself must have. */
export async function lookAtHost(context: CheckContext): Promise<readonly Finding[]> {
  return [
    ...fromProblems('program', checkPrograms(context), 'Node and Plancton can be read by a service'),
    ...fromProblems('boot', await checkCron(context), 'there is something to start Plancton when the host boots'),
    ...fromProblems('clock', await checkClock(context), 'the clock is kept right, as far as can be known'),
  ];
}
