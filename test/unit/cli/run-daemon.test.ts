import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { CliOptions } from '../../../src/cli/context.js';
import { runDaemon } from '../../../src/cli/run-daemon.js';
import { systemClock } from '../../../src/clock.js';
import type { DaemonOptions } from '../../../src/daemon/options.js';
import { aStatus } from '../../support/a-status.js';
import { idleDaemon, recordingContext, type RecordingContext } from '../../support/cli-context.js';
import { tempDirectory } from '../../support/temp-directory.js';

const quiet = { quiet: true };

function places(): Required<Pick<CliOptions, 'rundir' | 'logdir' | 'confdir' | 'pidfile'>> {
  const base = tempDirectory();
  return {
    rundir: join(base, 'run'),
    logdir: join(base, 'log'),
    confdir: join(base, 'conf'),
    pidfile: join(base, 'plancton.pid'),
  };
}

async function untilReady(context: RecordingContext): Promise<void> {
  while (!context.messages.some(({ type }) => type === 'ready')) await systemClock.sleep(5);
}

describe('a daemon process', () => {
  it('keeps its pid and its status while it runs, and takes them away when it ends', async () => {
    const options = places();
    let told: DaemonOptions | undefined;
    const context = recordingContext({
      createDaemon: (given) => {
        told = given;
        return idleDaemon(given);
      },
    });
    const running = runDaemon(context, options, quiet);
    await untilReady(context);
    expect(readFileSync(options.pidfile, 'utf8')).toBe(`${process.pid}\n`);
    told?.onCycle(aStatus());
    const statusFile = join(options.rundir, 'status.json');
    expect(JSON.parse(readFileSync(statusFile, 'utf8'))).toMatchObject({ hostname: 'wn042' });
    context.signal('SIGTERM');
    expect(await running).toBe(0);
    expect(existsSync(options.pidfile)).toBe(false);
    expect(existsSync(statusFile)).toBe(false);
  });

  it('refuses to be the second one of a run directory and says who is the first', async () => {
    const options = places();
    const first = recordingContext();
    const running = runDaemon(first, options, quiet);
    await untilReady(first);
    await expect(runDaemon(recordingContext(), options, quiet)).rejects.toMatchObject({
      exitCode: 75,
      message: expect.stringMatching(new RegExp(`pid ${process.pid}.*${options.rundir}`)) as string,
    });
    expect(existsSync(options.pidfile)).toBe(true);
    first.signal('SIGINT');
    expect(await running).toBe(0);
  });

  it('ends at once on the second signal', async () => {
    const options = places();
    const ended: number[] = [];
    const context = recordingContext({
      exit: ((code: number) => ended.push(code)) as never,
      createDaemon: (given) => ({
        ...idleDaemon(given),
        // Busy with something that does not heed the signal.
        run: () => {
          given.onReady();
          return new Promise(() => undefined);
        },
      }),
    });
    void runDaemon(context, options, quiet);
    await untilReady(context);
    context.signal('SIGTERM');
    expect(ended).toEqual([]);
    context.signal('SIGTERM');
    expect(ended).toEqual([143]);
    expect(existsSync(options.pidfile)).toBe(false);
  });

  it('reloads on HUP, asks for a drain-stop on QUIT, and is woken when a request appears by hand', async () => {
    const options = places();
    const reload = vi.fn();
    const wake = vi.fn();
    const context = recordingContext({ createDaemon: (given) => ({ ...idleDaemon(given), reload, wake }) });
    const running = runDaemon(context, options, quiet);
    await untilReady(context);
    context.signal('SIGHUP');
    expect(reload).toHaveBeenCalledTimes(1);
    writeFileSync(join(options.rundir, 'force-stop'), '');
    await vi.waitFor(
      () => {
        expect(wake).toHaveBeenCalled();
      },
      { timeout: 10_000 },
    );
    context.signal('SIGQUIT');
    await vi.waitFor(() => {
      expect(existsSync(join(options.rundir, 'stop'))).toBe(true);
    });
    context.signal('SIGTERM');
    await running;
  });

  it('ends with 78 and every problem when there is no valid configuration', async () => {
    const problems = ['config.yaml:1:1: max_ttl: no', 'config.yaml:2:1: binds: no'];
    const context = recordingContext({
      createDaemon: (given) => ({ ...idleDaemon(given), run: () => Promise.resolve({ why: 'bad-config', problems }) }),
    });
    expect(await runDaemon(context, places(), quiet)).toBe(78);
    for (const problem of problems) expect(context.stderr.join('\n')).toContain(problem);
    expect(context.messages).toEqual([
      { type: 'ended', exitCode: 78, text: expect.stringContaining('config.yaml:2:1') as string },
    ]);
  });

  it('ends with 75, after which a service manager tries again, when the configuration could not be had', async () => {
    const end = { why: 'no-config', problems: ['git did not answer in time'] } as const;
    const context = recordingContext({
      createDaemon: (given) => ({ ...idleDaemon(given), run: () => Promise.resolve(end) }),
    });
    expect(await runDaemon(context, places(), quiet)).toBe(75);
    expect(context.stderr.join('\n')).toContain('git did not answer in time');
  });

  it('ends with 70 on a bug and says so in the log', async () => {
    const options = places();
    const context = recordingContext({
      createDaemon: (given) => ({ ...idleDaemon(given), run: () => Promise.reject(new TypeError('oops')) }),
    });
    expect(await runDaemon(context, options, quiet)).toBe(70);
    expect(readFileSync(join(options.logdir, 'plancton.log'), 'utf8')).toMatch(/FATAL daemon failed.*oops/);
  });

  it('hands the daemon the engine of --engine, then of DOCKER_HOST, then the usual one', async () => {
    const seen: string[] = [];
    const createDaemon = (given: DaemonOptions) => {
      seen.push(given.engineHost);
      return { ...idleDaemon(given), run: () => Promise.resolve({ why: 'stopped' } as const) };
    };
    const env = { DOCKER_HOST: 'tcp://b:1' };
    await runDaemon(recordingContext({ createDaemon, env }), { ...places(), engine: 'tcp://a:1' }, quiet);
    await runDaemon(recordingContext({ createDaemon, env }), places(), quiet);
    await runDaemon(recordingContext({ createDaemon, env: { DOCKER_HOST: '' } }), places(), quiet);
    expect(seen).toEqual(['tcp://a:1', 'tcp://b:1', 'unix:///var/run/docker.sock']);
  });

  it('does not start with a log level that does not exist', async () => {
    const context = recordingContext({ env: { PLANCTON_LOG_LEVEL: 'loud' } });
    await expect(runDaemon(context, places(), quiet)).rejects.toMatchObject({ exitCode: 64 });
  });
});
