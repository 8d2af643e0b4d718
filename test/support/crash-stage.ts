import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { lockHolder } from '../../src/cli/process-lock.js';
import type { ChaosProxy } from './chaos-proxy.js';
import type { Phase } from './chaos-rules.js';
import type { ConfigRepo } from './config-repo.js';
import { nameOf, type CallPoint, type CrashPoint, type EnginePoint, type Operation } from './crash-points.js';
import type { LocalRegistry } from './local-registry.js';
import { eventually, quickConfig, type PlanctonSite } from './plancton-process.js';
import type { PrivateEngine } from './private-engine.js';
import type { Referee } from './referee.js';

/** So many pilots live while all is quiet. */
export const pilots = 2;
/** A container that was made and never started is taken away after half a minute; the rest is for a busy machine. */
const quietWithinMs = 150_000;
/** For all else that is only a matter of time. */
const patienceMs = 400_000;

/** What came of killing a daemon once. */
export interface Crash {
  readonly point: string;
  readonly run: number;
  /** How far the request had come, or which call was made, when the daemon was killed. */
  readonly killedAt: string;
  /** What the referee found; nothing is right. */
  readonly violations: readonly string[];
}

/** A daemon that is killed and started again, with an engine that does what it is asked for all the same. */
export interface CrashStage {
  /** Kills the daemon at that point, starts it again and waits until all is as it was. Rejects when it never came to the point. */
  crash(point: CrashPoint, run: number): Promise<Crash>;
}

export interface StageParts {
  readonly engine: Pick<PrivateEngine, 'host' | 'docker'>;
  readonly registry: LocalRegistry;
  readonly site: PlanctonSite;
  readonly proxy: ChaosProxy;
  readonly referee: Referee;
  /** Where its configuration comes from; undefined: from a plain folder. */
  readonly repo: ConfigRepo | undefined;
  readonly revisions: string[];
  /** As kill-at.cjs wants it. */
  readonly killFile: string;
}

/** With a secret that is for pilots alone to see. */
export const docker_env = { TOKEN: 'canary-of-the-crashes' };

/** None ends by itself, however long all of it takes. */
export const calm = { max_docks: pilots, docker_cmd: '/bin/sleep 1000000' };

/** A look for new commits takes some processes: not every second, where several daemons share a machine. */
export const gitConfig = { ...quickConfig, ...calm, updateconfig: 3, docker_env };

/** A daemon, its surroundings and the points it is killed at. It has to be begun. */
export class Stage implements CrashStage {
  readonly #parts: StageParts;
  #judged = 0;
  #images = 0;

  constructor(parts: StageParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    await this.#start();
    await this.#untilAllRun();
  }

  async crash(point: CrashPoint, run: number): Promise<Crash> {
    const { referee } = this.#parts;
    const killedAt = await this.#crashAt(point, run);
    await this.#untilAllRun();
    const verdict = await referee.verdict();
    const violations = verdict.slice(this.#judged).map(({ rule, at, evidence }) => `${rule}, ${at}: ${evidence}`);
    this.#judged = verdict.length;
    return { point: nameOf(point), run, killedAt, violations };
  }

  #crashAt(point: CrashPoint, run: number): Promise<string> {
    switch (point.at) {
      case 'engine':
        return this.#crashAtEngine(point, run);
      case 'call':
        return this.#crashAtCall(point);
      case 'drain':
        return this.#crashWhileDraining();
    }
  }

  async #crashAtEngine({ operation, phase }: EnginePoint, run: number): Promise<string> {
    const { site, proxy, referee } = this.#parts;
    const known = await referee.pilots();
    const [victim = '', ...others] = known;
    const image = operation === 'pull' ? await this.#newImage() : undefined;
    const gate = openGate();
    let killedAt: string | undefined;
    const rule = proxy.add({
      ...requestOf(operation, victim, known),
      times: 1,
      forward: true,
      onPhase: async (reached, { method, path, phases }) => {
        if (reached !== phase) return;
        if (phase === 'executed' && image !== undefined) await this.#untilPulled(image);
        await this.#kill();
        killedAt = `${method} ${path}: ${[...phases].join(', ')}`;
        await gate.passed;
      },
    });
    await this.#provoke(operation, victim, image);
    await eventually(`the daemon is killed at ${operation} ${phase}`, () => killedAt !== undefined, patienceMs);
    // The engine may get what was on its way before the next daemon looks, or long after.
    const late = phase === 'arrived' && run % 2 === 0;
    if (!late) gate.pass();
    if (operation === 'stop') site.configure(calm);
    await this.#start();
    if (late) await this.#untilAllRun();
    gate.pass();
    rule.remove();
    if (image !== undefined) await this.#untilPulled(image);
    await referee.settle({ pilots, withinMs: quietWithinMs, survivors: operation === 'stop' ? [] : others });
    if (image !== undefined) site.configure(calm);
    return expectPhases(killedAt ?? '', phase);
  }

  async #crashAtCall({ call, name, needsRevision }: CallPoint): Promise<string> {
    const { site, referee, repo, killFile, revisions } = this.#parts;
    const survivors = await referee.pilots();
    const pid = site.pid();
    writeFileSync(killFile, call);
    if (needsRevision) await this.#commit();
    const killed = () => (existsSync(`${killFile}.done`) ? readFileSync(`${killFile}.done`, 'utf8') : '');
    await eventually(`the daemon is killed at: ${name}`, () => killed() !== '', patienceMs);
    if (killed() !== String(pid)) throw new Error(`process ${killed()} was killed, not the daemon ${pid}`);
    await eventually('the daemon is dead', () => lockHolder(site.runDir) === undefined);
    for (const file of [killFile, `${killFile}.done`]) rmSync(file);
    await this.#start();
    await referee.settle({ pilots, withinMs: quietWithinMs, survivors });
    if (repo !== undefined) {
      await site.until('the new revision is in force', ({ config }) => config.revision === revisions.at(-1));
      const edited = await repo.git('-C', site.confDir, 'status', '--porcelain');
      if (edited !== '') throw new Error(`the tree is not that of the revision: ${edited}`);
    }
    return call;
  }

  async #crashWhileDraining(): Promise<string> {
    const { site, referee, engine } = this.#parts;
    const [victim = '', ...survivors] = await referee.pilots();
    await site.ctl('drain');
    await site.until('it drains', ({ mode }) => mode === 'drain');
    referee.acknowledged('drain');
    await this.#kill();
    await engine.docker('kill', victim);
    await this.#start();
    await referee.settle({ pilots: pilots - 1, withinMs: quietWithinMs, survivors });
    const { cycles, mode } = await site.until('there are cycles', (status) => status.cycles >= 5);
    referee.acknowledged('resume');
    await site.ctl('resume');
    await referee.settle({ pilots, withinMs: quietWithinMs, survivors });
    return `mode ${mode} and no start in ${cycles} cycles`;
  }

  async #provoke(operation: Operation, victim: string, image: string | undefined): Promise<void> {
    const { site, engine } = this.#parts;
    if (image !== undefined) site.configure({ ...calm, docker_image: image });
    else if (operation === 'stop') site.configure({ ...calm, max_ttl: 1 });
    else await engine.docker('kill', victim);
  }

  /** A tag that the registry has and the engine has not. */
  async #newImage(): Promise<string> {
    const { registry, engine, site } = this.#parts;
    const name = `pilot/${site.base.slice(-6).toLowerCase()}:v${(this.#images += 1)}`;
    const image = await registry.push('busybox:latest', name);
    await engine.docker('rmi', image);
    return image;
  }

  async #untilPulled(image: string): Promise<void> {
    const { engine } = this.#parts;
    await eventually(`${image} is pulled`, async () => (await engine.docker('images', '--quiet', image)) !== '');
  }

  async #commit(): Promise<void> {
    const { repo, revisions } = this.#parts;
    if (repo === undefined) throw new Error('this stage has no repository');
    // Only its commit makes it another one.
    revisions.push(await repo.commit({ 'config.yaml': JSON.stringify(gitConfig), note: String(revisions.length) }));
  }

  /** The daemon knows of them all. */
  async #untilAllRun(): Promise<void> {
    const { site } = this.#parts;
    const run = () =>
      site.untilRunning(pilots).then(
        () => true,
        () => false,
      );
    await eventually('all pilots run', run, patienceMs);
  }

  async #start(): Promise<void> {
    const { exitCode, stderr } = await this.#parts.site.ctl('start');
    if (exitCode !== 0) throw new Error(`the daemon does not start: ${stderr}`);
  }

  async #kill(): Promise<void> {
    const { site } = this.#parts;
    process.kill(site.pid(), 'SIGKILL');
    await eventually('the daemon is dead', () => lockHolder(site.runDir) === undefined);
  }
}

/** The requests of an operation, as far as they are about `victim` or about a pilot that is not `known`. */
function requestOf(operation: Operation, victim: string, known: readonly string[]) {
  const newOne = `(?!${known.join('|')})[0-9a-f]{64}`;
  const requests: Readonly<Record<Operation, { readonly method: string; readonly path: string }>> = {
    create: { method: 'POST', path: '/containers/create' },
    'inspect-before-start': { method: 'GET', path: `/containers/${newOne}/json` },
    start: { method: 'POST', path: `/containers/${newOne}/start` },
    stop: { method: 'POST', path: '/containers/[0-9a-f]{64}/stop' },
    'inspect-of-end': { method: 'GET', path: `/containers/${victim}/json` },
    remove: { method: 'DELETE', path: `/containers/${victim}` },
    pull: { method: 'POST', path: '/images/create' },
  };
  const { method, path } = requests[operation];
  return { method, path: new RegExp(`^${path}$`) };
}

/** The proof: it had come this far when the daemon was dead, and no farther. */
function expectPhases(killedAt: string, phase: Phase): string {
  const all: readonly Phase[] = ['arrived', 'executed', 'replied'];
  const wanted = all.slice(0, all.indexOf(phase) + 1).join(', ');
  if (!killedAt.endsWith(`: ${wanted}`)) throw new Error(`killed at "${killedAt}" and not at ${phase}`);
  return killedAt;
}

/** Something that is waited for until it is let go. */
function openGate(): { readonly passed: Promise<void>; readonly pass: () => void } {
  let pass: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { passed, pass };
}
