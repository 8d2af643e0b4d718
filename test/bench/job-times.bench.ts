import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, it, onTestFinished } from 'vitest';
import { examples, importPilotImage } from '../support/pilot-image.js';
import { planctonSite } from '../support/plancton-process.js';
import { startPrivateEngine } from '../support/private-engine.js';
import { startWorkQueue, type RuleResult } from '../support/work-queue.js';
import { mean, median, printTable, quick } from './measure.js';

const ncpus = availableParallelism();
const rounds = quick ? 1 : 3;
const work = { rules: 12 * ncpus, size: quick ? 5_000_000 : 15_000_000 };

it('computes in pilots as fast as without', async () => {
  const engine = await startPrivateEngine();
  onTestFinished(() => engine.stop());
  await importPilotImage(engine, 'work-queue-pilot:v1');
  const queue = await startWorkQueue(engine);
  onTestFinished(() => queue.stop());
  const example = load(readFileSync(join(examples, 'work-queue.yaml'), 'utf8')) as { readonly docker_cmd: string[] };
  const docker_cmd = example.docker_cmd.map((argument) => argument.replace('--timeout 60', '--timeout 5'));
  const site = planctonSite({ dockerHost: engine.host, env: { PLANCTON_LOG_LEVEL: 'info' } });
  site.configure({ ...example, docker_cmd, cpus: 'auto', max_docks: ncpus, max_dock_mem: '100M', max_dock_swap: 0 });

  const piloted: RuleResult[] = [];
  const bare: RuleResult[] = [];
  const failures = { piloted: 0, bare: 0 };
  for (let round = 0; round < rounds; round += 1) {
    expect(await site.ctl('start')).toMatchObject({ exitCode: 0 });
    const withPilots = await (await queue.begin(work)).done;
    piloted.push(...withPilots.results);
    failures.piloted += withPilots.failures;
    await site.ctl('force-stop');

    const flow = await queue.begin(work);
    await queue.runBareWorkers(ncpus, docker_cmd.at(-1) ?? '', flow.done);
    const withoutPilots = await flow.done;
    bare.push(...withoutPilots.results);
    failures.bare += withoutPilots.failures;
  }
  const row = (what: string, of: (values: readonly number[]) => number, key: 'wallMs' | 'cpuMs') => {
    const [inPilot, onHost] = [piloted, bare].map((results) => of(results.map((result) => result[key])) / 1000);
    return [what, inPilot ?? NaN, onHost ?? NaN, (inPilot ?? NaN) / (onHost ?? NaN)];
  };
  printTable(
    [`${piloted.length} jobs each`, 'pilots', 'bare workers', 'ratio'],
    [
      row('wall clock, median, s', median, 'wallMs'),
      row('wall clock, mean, s', mean, 'wallMs'),
      row('CPU, median, s', median, 'cpuMs'),
      row('CPU, mean, s', mean, 'cpuMs'),
      ['failures', failures.piloted, failures.bare, ''],
    ],
  );
});
