import type { Plan, StuckPilot } from '../decision.js';
import type { EngineFailure, Instant, Observation, SeenMode } from '../model.js';
import { failingWords } from './failing-words.js';
import { ENGINE_FAULTS, HOLD_FAULTS, type FaultCode } from './fault-words.js';
import { pullWords } from './pull-words.js';

/** One trouble that is there now, in the words of whoever looks after the host. */
export interface Fault {
  /** For programs; the words of the other fields may change. */
  readonly code: FaultCode;
  /** What it is about, where there may be several of a kind: the name of a pilot. */
  readonly subject: string | undefined;
  /** ISO 8601; noticed at about this time. */
  readonly since: string;
  /** What is wrong. */
  readonly what: string;
  /** What engine, git server or checks have said about it; undefined: nothing beyond the above. */
  readonly said: string | undefined;
  /** What Plancton does about it. */
  readonly doing: string;
  /** What the reader can do. */
  readonly cure: string;
}

/** A fault as it is found; since when is known to whoever looked before, unless it says so itself. */
type Finding = Omit<Fault, 'since'> & { readonly sinceWallMs?: number };

/** What faults are read from. */
export interface FaultFacts {
  readonly now: Instant;
  readonly mode: SeenMode;
  /** Why the pilots could not be listed in the last cycle. */
  readonly failure: EngineFailure | undefined;
  /** The last cycle that saw the pilots. */
  readonly seen: SeenCycle | undefined;
  readonly config: {
    readonly revision: string | undefined;
    readonly refused: { readonly revision: string; readonly problems: readonly string[] } | undefined;
    readonly unreachable: string | undefined;
  };
  readonly wantedImage: string;
  /** What the last pull has failed with; undefined: it has not. */
  readonly pullFailure: EngineFailure | undefined;
}

/** What a status needs of a cycle that saw the pilots. */
export interface SeenCycle {
  readonly observation: Observation;
  readonly plan: Pick<Plan<unknown>, 'capacity' | 'holds' | 'gates' | 'stuck' | 'hanging' | 'failing'>;
}

/** How many seconds from now a monotonic moment is, for a sentence. */
function inSeconds(ms: number, now: Instant): string {
  const seconds = Math.ceil((ms - now.monoMs) / 1000);
  return seconds > 0 ? `in ${seconds} s` : 'now';
}

/** A monotonic moment on the wall clock. */
function toWallMs(monoMs: number, now: Instant): number {
  return now.wallMs - (now.monoMs - monoMs);
}

function ofEngine({ failure }: FaultFacts): readonly Finding[] {
  if (failure === undefined) return [];
  return [
    { code: `engine-${failure.kind}`, subject: undefined, said: failure.message, ...ENGINE_FAULTS[failure.kind] },
  ];
}

function ofEffects({ seen, now }: FaultFacts): readonly Finding[] {
  const hanging = seen?.plan.hanging;
  if (hanging === undefined) return [];
  return [
    {
      code: 'engine-effects',
      subject: undefined,
      sinceWallMs: toWallMs(hanging.sinceMs, now),
      what: 'the container engine answers, but does not start, stop or remove containers in time',
      said: `${hanging.inVain} times without an answer`,
      doing: `no pilot is started but one now and then to see whether it works again, the next ${inSeconds(hanging.nextTryMs, now)}`,
      cure: 'systemctl status containerd docker; a restart of containerd helps where it hangs',
    },
  ];
}

function ofFailing({ seen }: FaultFacts): readonly Finding[] {
  const failing = seen?.plan.failing;
  return failing === undefined ? [] : [{ subject: undefined, said: failing.text, ...failingWords(failing) }];
}

function ofStuck({ pilot, sinceMs, tries, nextTryMs, said, holdsSlot }: StuckPilot, now: Instant): Finding {
  const slot = holdsSlot ? 'it keeps its slot' : 'it has no process any more and holds no slot';
  return {
    code: 'pilot-stuck',
    subject: pilot.name,
    sinceWallMs: toWallMs(sinceMs, now),
    what: `pilot ${pilot.name} (${pilot.state}) could not be removed, tried ${tries} times`,
    said,
    doing: `${slot}, and removing it is tried again ${inSeconds(nextTryMs, now)}, later ever less often`,
    cure: `docker top ${pilot.name}: a process in state D waits for a disk or a server, mend that; else restart the engine`,
  };
}

function ofPilots({ seen, now }: FaultFacts): readonly Finding[] {
  const strange = seen?.observation.pilots.filter(({ state }) => state === 'unknown') ?? [];
  return [
    ...(seen?.plan.stuck.map((stuck) => ofStuck(stuck, now)) ?? []),
    ...strange.map(({ name }): Finding => ({
      code: 'pilot-unknown',
      subject: name,
      what: `pilot ${name} is in a state that this version of Plancton does not know`,
      said: undefined,
      doing: 'it keeps its slot and is left alone until its time to live is over',
      cure: `docker inspect ${name}; update Plancton`,
    })),
  ];
}

/** Nobody can tell whether it is here: nothing is started, and nothing pulled either. */
function ofUnknownImage({ wantedImage, seen }: FaultFacts): readonly Finding[] {
  const failure = seen?.observation.imageFailure;
  if (failure === undefined) return [];
  return [
    {
      code: 'image-unknown',
      subject: undefined,
      what: `the container engine does not tell whether image ${wantedImage} is on this host`,
      said: failure.message,
      doing: 'no pilot is started; those that run go on, and the engine is asked again and again',
      cure: `docker image inspect ${wantedImage}; systemctl status docker`,
    },
  ];
}

function ofImage({ pullFailure, wantedImage, seen }: FaultFacts): readonly Finding[] {
  if (pullFailure === undefined) return [];
  // Somebody has brought it otherwise, and a digest is not asked for again.
  if (wantedImage.includes('@sha256:') && seen?.observation.image?.reference === wantedImage) return [];
  const source = seen?.observation.image === null ? 'the image before, if there was one' : 'the one on this host';
  const { what, cure } = pullWords(pullFailure.pull, wantedImage);
  const again =
    pullFailure.pull === 'rate-limited'
      ? 'it is asked for again after half an hour, every hour in the end'
      : 'it is asked for again, every 15 min in the end';
  return [
    {
      ...{ code: 'image', subject: undefined, what, cure },
      said: pullFailure.message,
      doing: `${again}; until then pilots come from ${source}`,
    },
  ];
}

function ofConfig({ config: { revision, refused, unreachable } }: FaultFacts): readonly Finding[] {
  const kept = revision === undefined ? 'there is none to go on with' : `${revision.slice(0, 16)} stays in force`;
  const findings: Finding[] = [];
  if (refused !== undefined) {
    findings.push({
      code: 'config-refused',
      subject: undefined,
      what: `the configuration ${refused.revision.slice(0, 16)} is not valid`,
      said: refused.problems.join('\n'),
      doing: kept,
      cure: 'planctonctl config check; correct what it names',
    });
  }
  if (unreachable !== undefined) {
    findings.push({
      code: 'config-unreachable',
      subject: undefined,
      what: 'no newer configuration can be asked for',
      said: unreachable,
      doing: `${kept}, and the source is asked again and again`,
      cure: 'see whether the server answers and lets this host in; nothing is urgent while the configuration is the right one',
    });
  }
  return findings;
}

function ofHost({ seen, mode }: FaultFacts): readonly Finding[] {
  const findings = seen?.plan.holds.flatMap(({ gate, text }): readonly Finding[] => {
    const words = HOLD_FAULTS[gate];
    return words === undefined ? [] : [{ ...words, subject: undefined, said: text }];
  });
  const lost: Finding = {
    code: 'run-directory',
    subject: undefined,
    what: 'the run directory cannot be read, and may hold a drain',
    said: undefined,
    doing: 'no pilot is started; those that run go on',
    cure: 'see whether it is there and may be read by the user Plancton runs as',
  };
  return [...(findings ?? []), ...(mode === 'unknown' ? [lost] : [])];
}

/** All troubles that are there now, the worst first. `before`: those of the status before, which know since when. */
export function faultsOf(facts: FaultFacts, before: readonly Fault[]): readonly Fault[] {
  const sources = [ofEngine, ofEffects, ofFailing, ofPilots, ofConfig, ofUnknownImage, ofImage, ofHost];
  return sources
    .flatMap((source) => source(facts))
    .map(({ sinceWallMs, ...found }) => {
      const known = before.find(({ code, subject }) => code === found.code && subject === found.subject);
      const since = known?.since ?? new Date(sinceWallMs ?? facts.now.wallMs).toISOString();
      return { ...found, since };
    });
}
