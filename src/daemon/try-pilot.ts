import { readFile } from 'node:fs/promises';
import { endPilot, passOver, runs } from '../act/end-pilot.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { EngineError, type ContainerEngine } from '../engine/container-engine.js';
import type { AskedContainer, ContainerSettings, HostFacts, Pilot, PilotEnd, PilotSpec } from '../model.js';
import { onPrivateMount } from '../observe/mount-propagation.js';
import { preparePilotCgroup } from '../observe/pilot-cgroup.js';
import { nextSuffix, pilotSpec } from '../plan/pilot-spec.js';
import { bornBootMs } from '../plan/track.js';

export interface TrialOptions {
  readonly clock: Clock;
  readonly engine: ContainerEngine;
  /** The engine is on another host. */
  readonly remote: boolean;
  readonly host: HostFacts;
  readonly instance: string;
  /** As the policy of this host leaves it. */
  readonly config: Config;
  /** In place of the configured one; undefined: that. */
  readonly command: readonly string[] | undefined;
  /** Any number. */
  readonly seed: number;
  /** In what a container is more than the host allows, or less held in than asked for. Never rejects. */
  readonly violations: (settings: ContainerSettings, asked: AskedContainer) => Promise<readonly string[]>;
  /** What it writes. */
  readonly onText: (text: string) => void;
  /** What is being done. */
  readonly tell: (text: string) => void;
  /** Aborting it stops the pilot. */
  readonly signal: AbortSignal;
}

/** A trial that has just been made belongs to somebody who is about to start it, or to read how it ended. */
const YOUNG_MS = 60_000;
/** How often a pilot whose log cannot be read is looked at. */
const LOOK_MS = 1_000;

/** No daemon takes it for a pilot of its own. */
export function trialInstance(instance: string): string {
  return `${instance}-try`;
}

/** The trials that nobody is there for any more, with their ages: killed ones that ran on for too long, and what others have left. */
export async function forgottenTrials(
  engine: Pick<ContainerEngine, 'listPilots'>,
  { instance, config, clock, host }: Pick<TrialOptions, 'instance' | 'config' | 'clock' | 'host'>,
): Promise<readonly { readonly pilot: Pilot; readonly ageMs: number }[]> {
  const there = await engine.listPilots({ instance: trialInstance(instance), adoptOriginal: false });
  const at = clock.now();
  return there
    .map((pilot) => ({ pilot, ageMs: at.bootMs - bornBootMs({ at, host }, pilot) }))
    .filter(({ pilot: { state }, ageMs }) => {
      const isOver = state === 'created' || state === 'exited' || state === 'dead';
      return ageMs > config.max_ttl * 1000 + YOUNG_MS || (isOver && ageMs > YOUNG_MS);
    });
}

async function clearAway(options: TrialOptions): Promise<void> {
  const { engine } = options;
  const left = await forgottenTrials(engine, options);
  await Promise.all(left.map(({ pilot }) => engine.removePilot(pilot.id).catch(passOver)));
}

async function bringImage({ engine, instance, config, tell, signal }: TrialOptions): Promise<void> {
  const { docker_image: reference } = config;
  if ((await engine.findImage(reference)) !== null) return;
  tell(`pulling ${reference}`);
  const before = await engine.listImages(instance);
  await engine.pullImage(reference, () => undefined, signal);
  // As if the daemon had brought it: it goes when another one has come.
  await engine.markImage(reference, instance, before).catch(passOver);
}

async function toSpec({ clock, host, instance, config, command, remote, seed }: TrialOptions): Promise<PilotSpec> {
  const mounts = remote ? '' : await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const sources = config.binds.map((bind) => bind.split(':')[0] ?? '');
  const { suffix } = nextSuffix(seed, new Set());
  const place = {
    at: clock.now(),
    host,
    instance: trialInstance(instance),
    privateBinds: onPrivateMount(mounts, sources),
  };
  const spec = pilotSpec({ config, revision: 'try' }, place, suffix);
  return { ...spec, name: `plancton-try-${suffix}`, command: command ?? spec.command };
}

/** The trial as the engine lists it; undefined: it is gone. */
async function find(id: string, { engine, instance }: TrialOptions): Promise<Pilot | undefined> {
  const there = await engine.listPilots({ instance: trialInstance(instance), adoptOriginal: false });
  return there.find((pilot) => pilot.id === id);
}

/** Where the engine hands logs on, and gives none back. */
async function waitWithoutLog(id: string, options: TrialOptions, why: EngineError): Promise<void> {
  options.tell(`what it writes cannot be shown: ${why.message}`);
  for (let pilot = await find(id, options); pilot !== undefined && runs(pilot); pilot = await find(id, options)) {
    await options.clock.sleep(LOOK_MS);
  }
}

/** Waits for a time that may be longer than one sleep. */
async function sleepFor({ clock, config }: TrialOptions, over: AbortSignal): Promise<void> {
  const untilMs = clock.now().monoMs + config.max_ttl * 1000;
  while (!over.aborted && clock.now().monoMs < untilMs) await clock.sleep(untilMs - clock.now().monoMs, over);
}

/** Resolves when it has ended, whoever has ended it. */
async function untilOver(id: string, options: TrialOptions): Promise<void> {
  const { engine, config, onText, signal, tell } = options;
  const over = new AbortController();
  const stop = () => {
    tell('stopping it');
    void engine.stopPilot(id, config.stop_timeout).catch(passOver);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  void sleepFor(options, over.signal).then(() => {
    if (!over.signal.aborted) stop();
  });
  try {
    // Not given up with the signal: its last words are worth reading, too.
    await engine.followLog(id, { lines: Number.MAX_SAFE_INTEGER, onText, signal: over.signal });
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'refused') throw error;
    await waitWithoutLog(id, options, error);
  } finally {
    over.abort();
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs one pilot as the daemon would, with all that holds it in, and is there until it ends, or `max_ttl` is over; it takes no slot and no daemon
 * knows it. Resolves with how it ended; undefined: the engine did not tell. Rejects with an EngineError; nothing is left of it then, as far as the
 * engine lets it be removed.
 */
export async function tryPilot(options: TrialOptions): Promise<PilotEnd | undefined> {
  const { engine, instance, config, remote, violations, tell, signal } = options;
  await clearAway(options);
  await bringImage(options);
  const group = await preparePilotCgroup({ instance, info: await engine.info(), nice: config.nice, remote });
  const asked: AskedContainer = { spec: await toSpec(options), cgroupParent: group.parent };
  const id = await engine.createPilot(asked.spec, asked.cgroupParent);
  try {
    const found = await violations(await engine.settingsOf(id, asked.spec), asked);
    if (found.length > 0) {
      throw new EngineError('refused', `what the engine has made is not what was asked for: ${found.join('; ')}`);
    }
    if (signal.aborted) throw new EngineError('timeout', 'interrupted before it was started');
    tell(`starting ${asked.spec.name}`);
    await engine.startPilot(id);
    await untilOver(id, options);
    const pilot = await find(id, options);
    return pilot === undefined ? undefined : await endPilot(engine, { pilot, stopSeconds: config.stop_timeout });
  } catch (error) {
    // What the reply to its creation named need not be it; what the list shows under that id is.
    if ((await find(id, options).catch(passOver)) !== undefined) await engine.removePilot(id).catch(passOver);
    throw error;
  }
}
