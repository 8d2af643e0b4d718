import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually, planctonSite, type PlanctonSite } from '../support/plancton-process.js';
import { promtool, startPrometheus, type Prometheus } from '../support/prometheus.js';
import { freePort } from '../support/free-port.js';
import { tempDirectory } from '../support/temp-directory.js';

const conf = join(import.meta.dirname, '..', '..', 'conf');
const ruleFile = join(conf, 'alerts.yaml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const rules = (load(readFileSync(ruleFile, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const { panels } = JSON.parse(readFileSync(join(conf, 'grafana.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
};
/** As Grafana asks when all hosts are chosen; and rates over what there is in a test. */
const asked = (expr: string) => expr.replaceAll('$instance', '.*').replace(/\[(5m|15m|1h)\]/g, '[1m]');

describe('Prometheus', () => {
  let site: PlanctonSite;
  let prometheus: Prometheus;
  let address: string;

  // Pilots that live for a second, so that everything that is counted rises.
  async function scrape(): Promise<void> {
    address = `127.0.0.1:${await freePort()}`;
    site = planctonSite({ dockerHost: inject('dockerHost') });
    site.configure({ http_address: address, docker_cmd: "/bin/sh -c 'sleep 1; exit 3'", fizzle_seconds: 0 });
    await site.ctl('start');
    prometheus = await startPrometheus(address, await freePort(), ruleFile);
    onTestFinished(() => prometheus.stop());
    await eventually('pilots have ended', async () => {
      const [ends] = await prometheus.query('sum(plancton_pilot_exit_codes_total{class="1-127"})');
      return (ends?.value ?? 0) > 5;
    });
  }

  it('scrapes a daemon, whose dashboard and alerts find what they ask for, and which promtool has nothing to say about', async () => {
    await scrape();
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        expect(await prometheus.query(asked(expr)), `${title}: ${expr}`).not.toEqual([]);
      }
    }
    for (const { alert, expr } of rules) {
      // Both sides of what is compared: on a healthy host the comparison itself finds nothing.
      const sides = expr
        .split(/ (?:==|>=|>|and) /)
        .map((side) => side.replace(/^[\d.]+ \* /, ''))
        .filter((side) => Number.isNaN(Number(side)));
      for (const side of sides) expect(await prometheus.query(side), `${alert}: ${side}`).not.toEqual([]);
      await prometheus.query(expr);
    }
    const text = await (await fetch(`http://${address}/metrics`)).text();
    expect(await promtool(['check', 'metrics'], text)).toBe('');
    const textfile = join(site.base, 'plancton.prom');
    expect(await site.ctl('metrics', '--textfile', textfile)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(textfile, 'utf8')).toMatch(/^plancton_up 1$/m);

    expect(await prometheus.query('plancton_engine_up')).toMatchObject([{ value: 1, metric: { job: 'plancton' } }]);
    expect(await prometheus.query('up')).toMatchObject([{ value: 1 }]);
    await site.ctl('stop');
    await eventually('the daemon is missed', async () => (await prometheus.query('up == 0')).length === 1);
  });
});

describe('the alert rules', () => {
  it('are as promtool wants them', async () => {
    expect(await promtool(['check', 'rules', ruleFile])).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  it('sound each for its own trouble, and never on a healthy host', async () => {
    const healthy = {
      'up{job="plancton"}': '1x1600',
      plancton_engine_up: '1x1600',
      plancton_config_last_reload_successful: '1x1600',
      plancton_image_present: '1x1600',
      'plancton_state{state="draining"}': '0x1600',
      plancton_loop_last_completed_timestamp_seconds: '0+60x1600',
      'plancton_pilot_exit_codes_total{class="0"}': '0+1x1600',
      'plancton_pilot_exit_codes_total{class="1-127"}': '0x1600',
      'plancton_pilot_start_failures_total{kind="refused"}': '0x1600',
      plancton_pilots_stuck: '0x1600',
      'plancton_sink_up{sink="journal"}': '1x1600',
      plancton_next_cycle_seconds: '30x1600',
      'plancton_pilots_removed_total{reason="exited"}': '0+1x1600',
      'plancton_pilots_removed_total{reason="evicted"}': '0x1600',
    };
    const troubles: Readonly<Record<string, Partial<Record<keyof typeof healthy, string>>>> = {
      PlanctonDown: { 'up{job="plancton"}': '0x1600' },
      PlanctonLoopStalled: { plancton_loop_last_completed_timestamp_seconds: '0x1600' },
      PlanctonEngineAway: { plancton_engine_up: '0x1600' },
      PlanctonConfigRefused: { plancton_config_last_reload_successful: '0x1600' },
      PlanctonImageMissing: { plancton_image_present: '0x1600' },
      PlanctonPilotsFail: { 'plancton_pilot_exit_codes_total{class="1-127"}': '0+2x1600' },
      PlanctonStartsFail: { 'plancton_pilot_start_failures_total{kind="refused"}': '0+1x1600' },
      PlanctonPilotsStuck: { plancton_pilots_stuck: '1x1600' },
      PlanctonManyEvictions: { 'plancton_pilots_removed_total{reason="evicted"}': '0+1x1600' },
      PlanctonSinkDown: { 'plancton_sink_up{sink="journal"}': '0x1600' },
      PlanctonDrainedForLong: { 'plancton_state{state="draining"}': '1x1600' },
    };
    expect(Object.keys(troubles)).toEqual(rules.map(({ alert }) => alert));
    const tests = [['', {}] as const, ...Object.entries(troubles)].map(([trouble, changes]) => ({
      interval: '1m',
      input_series: Object.entries({ ...healthy, ...changes }).map(([series, values]) => ({ series, values })),
      promql_expr_test: rules.map(({ alert }) => ({
        // What sounds is a series of its own; how many there are is all that matters.
        expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
        eval_time: '26h',
        exp_samples: [{ labels: '{}', value: alert === trouble ? 1 : 0 }],
      })),
    }));
    const file = join(tempDirectory(), 'test.yaml');
    writeFileSync(file, JSON.stringify({ rule_files: [ruleFile], evaluation_interval: '1m', tests }));
    expect(await promtool(['test', 'rules', file])).toContain('SUCCESS');
  });
});
