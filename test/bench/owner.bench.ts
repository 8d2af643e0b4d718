import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { tempDirectory } from '../support/temp-directory.js';
import { benchSite, ctl, roomy } from './bench-site.js';
import { quick } from './measure.js';
import { report } from './report.js';
import { atLeast, atMost } from './results.js';
import { median } from './statistics.js';
import { startTenant } from './tenant.js';

const ncpus = availableParallelism();
const blockSeconds = quick ? 5 : 20;
const pairs = quick ? 2 : 5;
/** Spins, and rests while there is a file: not frozen, since what is crowded out is not even scheduled to freeze. */
const spin = `while :; do
  while [ -e /signal/rest ]; do sleep 1; done
  i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done
done`;
/** One pilot per CPU, none of which is evicted: what the weight alone does. */
const settings = {
  ...roomy,
  cpus_per_dock: 1,
  max_docks: ncpus,
  docks_per_loop: ncpus,
  docker_cmd: ['/bin/sh', '-c', spin],
};

/** CPUs that the tenant gets, alone and beside pilots, in alternating blocks. */
async function measure(nice: boolean): Promise<{ alone: readonly number[]; beside: readonly number[] }> {
  const signal = tempDirectory();
  const rest = join(signal, 'rest');
  const site = benchSite({ ...settings, nice, binds: [`${signal}:/signal:ro`] });
  await ctl(site, 'start');
  await site.untilRunning(ncpus);
  const tenant = startTenant(ncpus);
  const block = async () => {
    const [before, { monoMs }] = [tenant.cpuSeconds(), systemClock.now()];
    await systemClock.sleep(blockSeconds * 1000);
    return (tenant.cpuSeconds() - before) / ((systemClock.now().monoMs - monoMs) / 1000);
  };
  const settle = () => systemClock.sleep(2000);
  const [alone, beside]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < pairs; pair += 1) {
    writeFileSync(rest, '');
    await settle();
    alone.push(await block());
    rmSync(rest);
    await settle();
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
