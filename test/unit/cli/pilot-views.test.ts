import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { acquireProcessLock } from '../../../src/cli/process-lock.js';
import { runProgram } from '../../../src/cli/program.js';
import { writeStatusFile } from '../../../src/cli/status-file.js';
import { pilotLabels } from '../../../src/engine/pilot-container.js';
import { createPostMortems } from '../../../src/journal/post-mortems.js';
import { MACHINE_ID_FILE, readInstance } from '../../../src/observe/instance.js';
import type { PostMortem } from '../../../src/report/post-mortem.js';
import type { PilotStatus, Status } from '../../../src/report/status.js';
import { aStatus } from '../../support/a-status.js';
import { aHost, aPilot } from '../../support/builders.js';
import { recordingContext } from '../../support/cli-context.js';
import { sendJson, startHttpEngine, type HttpEngine } from '../../support/http-engine.js';
import { tempDirectory } from '../../support/temp-directory.js';

const opened: HttpEngine[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

function shown(name: string, id: string, overrides: Partial<PilotStatus> = {}): PilotStatus {
  const rest = { state: 'running', image: 'busybox', revision: 'feedc0de', cpus: 1, ageSeconds: 90 } as const;
  return { name: `plancton-worker-${name}`, id: id.repeat(12), ...rest, ...overrides };
}

/** One line of a log, as the engine wraps it. */
function wrapped(text: string): Buffer {
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, Buffer.byteLength(text)]);
  return Buffer.concat([header, Buffer.from(text)]);
}

interface Site {
  /** As the daemon saw them; undefined: none runs. */
  readonly pilots?: readonly PilotStatus[];
  readonly status?: Partial<Status>;
  /** By the letter that an id is made of. */
  readonly logs?: Readonly<Record<string, string>>;
}

async function aSite({ pilots, status = {}, logs = {} }: Site) {
  const runDir = join(tempDirectory(), 'run');
  mkdirSync(runDir, { mode: 0o700 });
  const host = aHost();
  const labels = {
    [pilotLabels.managed]: 'true',
    [pilotLabels.name]: 'plancton-worker-listed',
    [pilotLabels.instance]: await readInstance(runDir, MACHINE_ID_FILE, host.hostname),
    [pilotLabels.revision]: 'cafe',
  };
  const listed = { Id: 'e'.repeat(64), Names: ['/plancton-worker-listed'], Image: 'busybox', ImageID: '' };
  const now = Math.floor(systemClock.now().wallMs / 1000);
  const server = await startHttpEngine((request, reply) => {
    const [, letter = ''] = /\/containers\/(\w)\w+\/logs/.exec(request.url ?? '') ?? [];
    const log = logs[letter];
    if (request.url?.includes('/containers/json') === true) {
      sendJson(reply, 200, [{ ...listed, Created: now - 65, State: 'running', Status: 'Up', Labels: labels }]);
    } else if (log === undefined) sendJson(reply, 404, { message: 'No such container' });
    else reply.end(wrapped(log));
  });
  opened.push(server);
  if (pilots !== undefined) {
    const attempt = await acquireProcessLock(runDir, 4711, systemClock);
    if (!attempt.held) throw new Error('the lock is taken');
    onTestFinished(() => {
      attempt.lock.release();
    });
    const { wallMs, bootMs } = systemClock.now();
    const when = { at: new Date(wallMs).toISOString(), atBootMs: bootMs };
    writeStatusFile(runDir, aStatus({ ...when, pilots, ...status }));
  }
  const run = async (...args: readonly string[]) => {
    const context = recordingContext({ readHost: () => Promise.resolve(host) });
    const exitCode = await runProgram(context, [...args, `--engine=${server.host}`, `--rundir=${runDir}`]);
    return { exitCode, out: context.stdout.join('\n'), err: context.stderr.join('\n') };
  };
  return { run, runDir, server };
}

describe('ps', () => {
  it('lists the pilots as the daemon saw them, the newest first, and asks no engine', async () => {
    const { run, server } = await aSite({
      pilots: [shown('old', 'a'), shown('new', 'b', { ageSeconds: 5, cpus: 0.5 })],
    });
    const { exitCode, out } = await run('ps');
    expect(exitCode).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['NAME', 'ID', 'STATE', 'AGE', 'CPUS', 'IMAGE', 'REVISION'],
      ['plancton-worker-new', 'bbbbbbbbbbbb', 'running', '5 s', '0.5', 'busybox', 'feedc0de'],
      ['plancton-worker-old', 'aaaaaaaaaaaa', 'running', '1 min 30 s', '1', 'busybox', 'feedc0de'],
    ]);
    expect(server.requests).toEqual([]);
  });

  it('is data for programs', async () => {
    const { run } = await aSite({ pilots: [shown('one', 'a')] });
    expect(JSON.parse((await run('ps', '--json')).out)).toMatchObject({
      ...{ apiVersion: 'plancton/v1', kind: 'PilotList', source: 'daemon' },
      pilots: [{ name: 'plancton-worker-one', state: 'running' }],
    });
  });

  it('asks the engine where no daemon is at work', async () => {
    const hangs = {
      why: 'the daemon hangs',
      pilots: [shown('stale', 'a')],
      status: { atBootMs: systemClock.now().bootMs - 3_600_000 },
    };
    for (const { why, ...site } of [{ why: 'no daemon runs' }, hangs]) {
      const { run } = await aSite(site);
      const { out, err } = await run('ps');
      expect(out).toMatch(/^plancton-worker-listed +e{12} +running +1 min \d s +\? +busybox +cafe$/m);
      expect(out).not.toContain('stale');
      expect(err).toContain(why);
    }
  });

  it('says that there are none, and where nobody knows', async () => {
    const { run, server } = await aSite({ pilots: [] });
    expect(await run('ps')).toEqual({ exitCode: 0, out: 'no pilots', err: '' });
    await server.close();
    opened.pop();
    const alone = await aSite({});
    await alone.server.close();
    opened.pop();
    expect(await alone.run('ps')).toMatchObject({
      exitCode: 69,
      err: expect.stringContaining('no container engine there') as string,
    });
  });
});

describe('logs', () => {
  const pilots = [shown('one', 'a', { ageSeconds: 9 }), shown('two', 'b'), shown('new', 'c', { state: 'created' })];
  const logs = { a: 'hello\nworld', b: 'bad \x1b[2J\r\n' };

  it('prints what one pilot has written, whatever part of its name is given', async () => {
    const { run } = await aSite({ pilots, logs });
    for (const name of ['plancton-worker-one', 'one', 'aaaa', 'a'.repeat(64)]) {
      expect(await run('logs', name)).toEqual({ exitCode: 0, out: 'hello\nworld', err: '' });
    }
  });

  it('prints what all have written, the oldest first, and nothing that controls a terminal', async () => {
    const { run } = await aSite({ pilots, logs });
    const { out, err } = await run('logs');
    expect(out).toBe('plancton-worker-two | bad \\u001b[2J\nplancton-worker-one | hello\nplancton-worker-one | world');
    expect(err).toBe('');
  });

  it('goes on where one of them has gone meanwhile', async () => {
    const { run } = await aSite({ pilots, logs: { a: 'hello\n' } });
    expect(await run('logs')).toMatchObject({
      ...{ exitCode: 0, out: 'plancton-worker-one | hello' },
      err: expect.stringContaining('plancton-worker-two: ') as string,
    });
  });

  it('asks for as many lines as are wanted', async () => {
    const { run, server } = await aSite({ pilots, logs });
    await run('logs', 'one', '-n', '7');
    expect(server.requests.at(-1)).toMatch(/tail=7/);
    expect(await run('logs', 'one', '-n', 'all')).toMatchObject({ exitCode: 64 });
  });

  it('follows a pilot until it ends', async () => {
    const { run, server } = await aSite({ pilots, logs });
    expect(await run('logs', '-f', 'one')).toMatchObject({ exitCode: 0, out: 'hello\nworld' });
    expect(server.requests.filter((request) => request.includes('/logs'))).toEqual([
      expect.stringMatching(/follow=true/),
    ]);
  });

  it('says whom it does not know, and who may be meant', async () => {
    const { run } = await aSite({ pilots: [...pilots, shown('x-one', 'f')], logs });
    expect(await run('logs', 'nobody')).toMatchObject({
      exitCode: 66,
      err: expect.stringContaining('there is no pilot nobody; planctonctl ps') as string,
    });
    expect(await run('logs', 'one')).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining('plancton-worker-one, plancton-worker-x-one') as string,
    });
  });
});

describe('post-mortem', () => {
  const postMortem: PostMortem = {
    pilot: aPilot({ name: 'plancton-worker-one', id: 'abcdef0123', image: 'site/pilot:1' }),
    cause: 'failed',
    ended: { exitCode: 3, oomKilled: false, startedWallMs: 1000, finishedWallMs: 66_000 },
    usage: { cpuSeconds: 12.34, memoryPeakBytes: 1_734_344_704 },
    log: 'fine\nno \x1b[31mlicence\n',
    said: undefined,
  };

  async function aPast(...kept: readonly Partial<PostMortem>[]) {
    const site = await aSite({});
    const folder = join(site.runDir, 'state', 'post-mortems');
    mkdirSync(join(site.runDir, 'state'));
    const limits = () => ({ post_mortem_size: 1e6, journal_age: 1000 });
    const onTrouble = (message: string) => expect.fail(message);
    const store = createPostMortems({ folder, clock: systemClock, limits, onTrouble });
    for (const some of kept) store.sink({ type: 'post-mortem', postMortem: { ...postMortem, ...some } });
    await store.close(10_000);
    return site;
  }

  it('lists what is left, the newest first', async () => {
    const oom = { ended: { exitCode: 137, oomKilled: true, startedWallMs: 0, finishedWallMs: 1000 } };
    const pilot = (name: string) => ({ pilot: aPilot({ name }) });
    const { run } = await aPast(
      {},
      { ...pilot('p2'), cause: 'evicted', usage: undefined },
      { ...pilot('p3'), ...oom },
      { ...pilot('p4'), cause: 'not-started', ended: undefined },
    );
    const lines = (await run('post-mortem')).out.split('\n').map((line) => line.split(/ {2,}/).slice(1));
    expect(lines).toEqual([
      ['PILOT', 'WHY', 'LIVED', 'CPU', 'MEMORY PEAK'],
      ['p4', 'could not be started', '-', '12.3 s', '1734 MB'],
      ['p3', 'killed for want of memory', '1 s', '12.3 s', '1734 MB'],
      ['p2', 'evicted (exit code 3)', '1 min 5 s', '-', '-'],
      ['plancton-worker-one', 'exit code 3', '1 min 5 s', '12.3 s', '1734 MB'],
    ]);
  });

  it('tells all about one', async () => {
    const { run } = await aPast({});
    for (const name of ['plancton-worker-one', 'one', 'abcdef']) {
      const { exitCode, out } = await run('post-mortem', name);
      expect(exitCode).toBe(0);
      expect(out).toMatch(/^plancton-worker-one\n/);
      expect(out).toMatch(/^ {2}why +exit code 3$/m);
      expect(out).toMatch(/^ {2}image +site\/pilot:1$/m);
      expect(out).toContain('  the last it wrote:\n  | fine\n  | no \\u001b[31mlicence');
    }
  });

  it('tells why there is no log', async () => {
    const { run } = await aPast({ log: '', said: 'the logging driver does not support reading' });
    const { out } = await run('post-mortem', 'one');
    expect(out).toMatch(/^ {2}engine +the logging driver does not support reading$/m);
    expect(out).toContain('it has written nothing that is left');
  });

  it('is data for programs', async () => {
    const { run } = await aPast({});
    expect(JSON.parse((await run('post-mortem', '--json')).out)).toMatchObject({
      ...{ apiVersion: 'plancton/v1', kind: 'PostMortemList' },
      items: [{ pilot: { name: 'plancton-worker-one' }, usage: { cpuSeconds: 12.34 } }],
    });
  });

  it('says where nothing is left', async () => {
    const { run } = await aPast();
    expect((await run('post-mortem')).out).toBe('no pilot has failed or was evicted, or nothing is kept of it');
    expect(await run('post-mortem', 'one')).toMatchObject({
      exitCode: 66,
      err: expect.stringContaining('nothing is left of a pilot one') as string,
    });
  });
});

describe('metrics', () => {
  it('are what the daemon says on its socket, printed or left in a file', async () => {
    const { run, runDir } = await aSite({});
    expect(await run('metrics')).toMatchObject({
      exitCode: 69,
      err: `planctonctl: no daemon answers at ${runDir}/http.sock (ENOENT); planctonctl status tells whether one runs`,
    });
    const ofProcess = '# HELP process_open_fds x\n# TYPE process_open_fds gauge\nprocess_open_fds 20\n';
    const server = createServer((_, reply) =>
      reply.end(`plancton_up 1\n${ofProcess}nodejs_eventloop_lag_seconds 0\n`),
    ).listen(join(runDir, 'http.sock'));
    onTestFinished(() => void server.close());
    expect(await run('metrics')).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^plancton_up 1\n[^]*process_open_fds 20\nnodejs/) as string,
    });
    const file = join(runDir, 'plancton.prom');
    expect(await run('metrics', '--textfile', file)).toMatchObject({ exitCode: 0, out: '' });
    expect(readFileSync(file, 'utf8')).toBe('plancton_up 1\n');
    expect((await run('metrics', '--textfile', join(runDir, 'none', 'x'))).exitCode).toBe(73);
    server.close();
    await once(server, 'close');
    expect(await run('metrics', '--textfile', file)).toMatchObject({ exitCode: 69 });
    expect(readFileSync(file, 'utf8')).toMatch(/^# HELP plancton_up .*\n# TYPE plancton_up gauge\nplancton_up 0\n$/);
  });
});
