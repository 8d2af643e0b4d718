import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './plancton-process.js';

/** A Prometheus of its own that scrapes one address every second, with these rules. */
export interface Prometheus {
  /** The values of an expression now, by their labels. */
  query(expression: string): Promise<readonly PrometheusSample[]>;
  stop(): Promise<void>;
}

export interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface QueryReply {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { metric: Record<string, string>; value: readonly [number, string] }[] };
}

export async function startPrometheus(target: string, port: number, ruleFile: string): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'plancton-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ruleFile],
    scrape_configs: [{ job_name: 'plancton', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  await writeFile(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const options = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`];
  const words = ['--pdeathsig', 'KILL', 'prometheus', ...options, `--web.listen-address=127.0.0.1:${port}`];
  const server = spawn('setpriv', words, { cwd: dir, stdio: 'ignore' });
  const query = async (expression: string): Promise<readonly PrometheusSample[]> => {
    const reply = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { status, error, data } = (await reply.json()) as QueryReply;
    if (status !== 'success') throw new Error(`${expression}: ${error ?? status}`);
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  };
  await eventually('Prometheus answers', () =>
    query('vector(1)').then(
      () => true,
      () => false,
    ),
  );
  return {
    query,
    async stop() {
      const exit = once(server, 'exit');
      if (server.kill('SIGKILL')) await exit;
      await rm(dir, { recursive: true });
    },
  };
}

/** Runs promtool; what it says, or throws. `input`: for its standard input. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  const running = promisify(execFile)('promtool', args);
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}
