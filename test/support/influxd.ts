import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const startDeadlineMs = 60_000;

export interface InfluxdOptions {
  /** Speak https, with a certificate of its own that nobody has signed. */
  readonly tls?: boolean;
  /** Make this user an administrator and let nobody in without a name. */
  readonly admin?: { readonly user: string; readonly password: string };
}

/** An InfluxDB server of its own, in a private folder and on a port of 127.0.0.1 that was free. */
export interface Influxd {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Runs a statement as the administrator; the rows of its first series, the time in ns first. */
  query(statement: string, database?: string): Promise<readonly (readonly unknown[])[]>;
  stop(): Promise<void>;
}

export async function startInfluxd({ tls = false, admin }: InfluxdOptions = {}): Promise<Influxd> {
  const program = await findInfluxd();
  const dir = await mkdtemp(join(tmpdir(), 'plancton-influxd-'));
  try {
    if (tls) await makeCertificate(dir);
    await writeFile(join(dir, 'influxd.conf'), configuration(dir, tls, admin !== undefined));
    // Ends with the process that started it, however that ends.
    const [command, ...argv] = ['setpriv', '--pdeathsig', 'KILL', program, '-config', join(dir, 'influxd.conf')];
    const server = spawn(command, argv, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await listeningAddress(server);
    const influxd: Influxd = {
      address,
      query: (statement, database = '') => query(tls ? 'https' : 'http', address, statement, database, admin),
      async stop() {
        const exit = once(server, 'exit');
        if (server.kill('SIGKILL')) await exit;
        await rm(dir, { recursive: true });
      },
    };
    if (admin) await influxd.query(`CREATE USER ${admin.user} WITH PASSWORD '${admin.password}' WITH ALL PRIVILEGES`);
    return influxd;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** The installed server, or the one of Debian's package unpacked in a private folder, so that no service is set up. */
async function findInfluxd(): Promise<string> {
  if (existsSync('/usr/bin/influxd')) return '/usr/bin/influxd';
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'plancton-test');
  const unpacked = join(cache, 'influxdb');
  const program = join(unpacked, 'usr', 'bin', 'influxd');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const dir = await mkdtemp(join(cache, 'influxdb-'));
  try {
    await run('apt-get', ['download', 'influxdb'], { cwd: dir, timeout: 120_000 });
    const [file = ''] = await readdir(dir);
    await run('dpkg', ['-x', file, 'root'], { cwd: dir });
    await rename(join(dir, 'root'), unpacked).catch((error: unknown) => {
      // Another run was faster.
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return program;
}

async function makeCertificate(dir: string): Promise<void> {
  await run(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ...['-keyout', 'server.pem', '-out', 'certificate.pem'],
    ],
    { cwd: dir },
  );
}

function configuration(dir: string, tls: boolean, auth: boolean): string {
  return `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${dir}/meta"
[data]
  dir = "${dir}/data"
  wal-dir = "${dir}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:0"
  log-enabled = false
  auth-enabled = ${auth}
  https-enabled = ${tls}
  https-certificate = "${dir}/certificate.pem"
  https-private-key = "${dir}/server.pem"
`;
}

async function listeningAddress(server: ChildProcess): Promise<string> {
  const log: string[] = [];
  const timer = setTimeout(() => server.kill('SIGKILL'), startDeadlineMs);
  try {
    if (server.stderr === null) throw new Error('influxd has no log');
    // Read on to the end, or the server would stand still once the pipe is full.
    const lines = createInterface(server.stderr);
    return await new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        log.push(line);
        const address = /Listening on HTTP.* addr=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
      lines.on('close', () => {
        reject(new Error(`influxd did not come up:\n${log.slice(-15).join('\n')}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

interface QueryReply {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly { readonly values?: readonly (readonly unknown[])[] }[];
  }[];
}

function query(
  scheme: 'http' | 'https',
  address: string,
  statement: string,
  database: string,
  admin: InfluxdOptions['admin'],
): Promise<readonly (readonly unknown[])[]> {
  const search = new URLSearchParams({ db: database, epoch: 'ns', q: statement });
  const options: https.RequestOptions = {
    method: 'POST',
    rejectUnauthorized: false,
    timeout: 10_000,
    ...(admin && { auth: `${admin.user}:${admin.password}` }),
  };
  return new Promise((resolve, reject) => {
    const request = scheme === 'https' ? https.request : http.request;
    const sent = request(`${scheme}://${address}/query?${search.toString()}`, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        const reply = JSON.parse(text) as QueryReply;
        const error = reply.error ?? reply.results?.[0]?.error;
        if (error === undefined) resolve(reply.results?.[0]?.series?.[0]?.values ?? []);
        else reject(new Error(error));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('influxd does not answer')));
    sent.on('error', reject);
    sent.end();
  });
}
