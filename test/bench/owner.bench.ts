import { availableParallelism } from 'node:os';
import { inject, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { dockerCli } from '../support/docker-cli.js';
import { benchSite, ctl, roomy } from './bench-site.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { atLeast, atMost } from './results.js';
import { median } from './statistics.js';
import { startTenant } from './tenant.js';

const ncpus = availableParallelism();
const blockSeconds = quick ? 5 : 20;
const pairs = quick ? 2 : 5;
const spin = ['/bin/sh', '-c', 'while :; do :; done'];
/** One pilot per CPU, none of which is evicted: what the weight alone does. */
const settings = { ...roomy, cpus_per_dock: 1, max_docks: ncpus, docks_per_loop: ncpus, docker_cmd: spin };

/** CPUs that the tenant gets, alone and beside pilots, in alternating blocks. */
async function measure(nice: boolean): Promise<{ alone: readonly number[]; beside: readonly number[] }> {
  const docker = dockerCli(inject('dockerHost'));
  const site = benchSite({ ...settings, nice });
  await ctl(site, 'start');
  await site.untilRunning(ncpus);
  const ids = await site.pilotIds();
  const tenant = startTenant(ncpus);
  // While the tenant rests: pilots that are crowded out are not scheduled even to freeze.
  const change = async (verb: 'pause' | 'unpause') => {
    tenant.rest();
    await docker(verb, ...ids);
    tenant.work();
  };
  const block = async () => {
    const [before, { monoMs }] = [tenant.cpuSeconds(), systemClock.now()];
    await systemClock.sleep(blockSeconds * 1000);
    return (tenant.cpuSeconds() - before) / ((systemClock.now().monoMs - monoMs) / 1000);
  };
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < pairs; pair += 1) {
    await change('pause');
    alone.push(await block());
    await change('unpause');
    beside.push(await block());
  }
  tenant.stop();
  await ctl(site, 'force-stop');
  return { alone, beside };
}

it('leaves the CPUs to their owner', async () => {
  const arms = [
    { what: 'Plancton', ...(await measure(true)) },
    { what: 'Plancton, `nice: false`', ...(await measure(false)) },
  ];
  const kept = arms.map(({ alone, beside }) => median(beside) / median(alone));
  const [yielding = NaN, equal = NaN] = kept;
  report('owner', {
    head: [`all ${ncpus} CPUs wanted by others, ${ncpus} pilots that spin`, 'CPUs alone', 'CPUs beside pilots', 'kept'],
    rows: arms.map(({ what, alone, beside }, index) => [what, median(alone), median(beside), kept[index] ?? NaN]),
    verdicts: [atLeast('share that others keep', 0.97, yielding), atMost('the same without yielding', 0.6, equal)],
    chart: {
      title: 'Share of the CPUs that the owner keeps beside busy pilots',
      unit: '',
      bars: arms.map(({ what }, index) => ({
        label: what.replaceAll('`', ''),
        value: kept[index] ?? NaN,
        ours: index === 0,
      })),
    },
    raw: Object.fromEntries(
      arms.flatMap(({ what, alone, beside }) => [
        [`${what}: alone`, alone],
        [`${what}: beside pilots`, beside],
      ]),
    ),
  });
});
