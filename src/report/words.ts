import type { DropImageAction, DropReason, RemovalReason, SeenMode } from '../model.js';
import type { RecordedEvent, RecordedOutcome } from './recorded-event.js';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** A constant sentence and the facts that belong to it. */
export interface Words {
  readonly level: Level;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Sites and the original's own test suite look for these phrases in the log: they are an interface. */
const MODE_SENTENCES: Readonly<Record<SeenMode, string>> = {
  active: 'active: pilots are started as they fit',
  drain: 'drain requested: no new containers will be started, running ones finish',
  'drain-stop': 'drain-stop requested: no new containers will be started, the daemon exits after the last one',
  unknown: 'the run directory cannot be read and may hold a drain: no new containers will be started until it can be',
  'force-stop': 'force-stop requested: not starting containers, killing existing ones',
};

const REMOVAL_SENTENCES: Readonly<Record<RemovalReason, string>> = {
  exited: 'pilot ended and was removed',
  'never-started': 'pilot never started and was removed',
  expired: 'pilot removed: its time to live was over',
  evicted: 'pilot evicted to make room for the owner',
  'force-stop': 'pilot killed by force-stop',
};

const DROP_SENTENCES: Readonly<Record<DropReason, string>> = {
  superseded: 'superseded image removed: image_keep was over',
  disk: "superseded image removed: too little room on the engine's disk",
};

function line(level: Level, message: string, facts: Record<string, unknown> = {}): Words {
  return { level, message, facts };
}

function wordFailure(outcome: RecordedOutcome): Words {
  const { action, error } = outcome;
  const facts = { kind: error?.kind, error: error?.message };
  switch (action.type) {
    case 'spawn':
      return line('error', 'pilot could not be started', {
        pilot: action.spec.name,
        image: action.spec.image,
        ...facts,
      });
    case 'remove':
      return error?.kind === 'conflict'
        ? line('info', 'pilot is still being removed by the engine', { pilot: action.pilot.name })
        : line('error', 'pilot could not be removed, will be tried again', { pilot: action.pilot.name, ...facts });
    case 'freeze':
    case 'thaw':
      return line('error', action.type === 'freeze' ? 'pilot could not be frozen' : 'pilot could not be thawed', {
        pilot: action.pilot.name,
        ...facts,
      });
    case 'drop-image':
      return line('warn', 'superseded image could not be removed, will be tried again', {
        ...imageFacts(action),
        ...facts,
      });
    case 'pull':
      return line('warn', 'image could not be pulled, will be tried again', { image: action.reference, ...facts });
  }
}

/** An eviction is the owner's gain and a job's loss; a failing pilot is somebody's to look at. */
function isUnwell({ action, ended }: RecordedOutcome): boolean {
  if (action.type !== 'remove') return false;
  return action.reason === 'evicted' || (action.reason === 'exited' && ended !== undefined && ended.exitCode !== 0);
}

function wordSuccess(outcome: RecordedOutcome): Words {
  const { action, ended } = outcome;
  switch (action.type) {
    case 'spawn':
      return line('info', 'pilot started', {
        pilot: action.spec.name,
        image: action.spec.image,
        reason: action.reason,
        revision: action.spec.revision,
      });
    case 'remove':
      return line(isUnwell(outcome) ? 'warn' : 'info', REMOVAL_SENTENCES[action.reason], {
        pilot: action.pilot.name,
        reason: action.reason,
        exitCode: ended?.exitCode,
        oomKilled: ended?.oomKilled === true ? true : undefined,
      });
    case 'freeze':
      return line('info', 'pilot frozen to make room for the owner', { pilot: action.pilot.name });
    case 'thaw':
      return line('info', 'pilot thawed: it has room again', { pilot: action.pilot.name });
    case 'drop-image':
      return line('info', DROP_SENTENCES[action.reason], imageFacts(action));
    case 'pull':
      return line('info', 'image pulled', { image: action.reference, reason: action.reason });
  }
}

/** The id too: what has lost its tag to another image is known to people by nothing else. */
function imageFacts({ image, reason }: DropImageAction): Words['facts'] {
  return { image: image.names[0], id: image.id, reason, sizeMB: Math.round(image.sizeBytes / 1e6) };
}

function wordSkipped({ action }: RecordedOutcome): Words {
  return action.type === 'drop-image'
    ? line('debug', 'superseded image stays, somebody needs it by now', imageFacts(action))
    : line('debug', 'start skipped after a failed one');
}

function wordOutcome(outcome: RecordedOutcome): Words {
  if (outcome.result === 'skipped') return wordSkipped(outcome);
  return outcome.result === 'done' ? wordSuccess(outcome) : wordFailure(outcome);
}

function wordCycle(event: Extract<RecordedEvent, { type: 'cycle' }>): Words {
  const { observation, plan } = event;
  return line('debug', 'cycle', {
    cycle: event.number,
    pilots: plan.capacity.pilots,
    admissible: plan.capacity.admissible,
    busy: observation.sample?.busy,
    own: observation.sample?.own,
    foreign: plan.capacity.foreign,
    peak: plan.capacity.peakForeign,
    actions: plan.actions.length,
    mode: observation.mode,
    ms: Math.round(event.tookMs),
  });
}

type Wording = { readonly [Type in RecordedEvent['type']]: (event: Extract<RecordedEvent, { type: Type }>) => Words };

/** The one place where events become words. */
const WORDING: Wording = {
  'daemon-started': ({ version, instance, source }) =>
    line('info', 'plancton started', { version, instance, config: source }),
  'daemon-stopping': ({ why }) => line('info', 'plancton stops', { why }),
  'config-accepted': ({ revision, warnings }) =>
    warnings.length > 0
      ? line('warn', 'configuration in force, with warnings', { revision, warnings })
      : line('info', 'configuration in force', { revision }),
  'config-refused': ({ revision, problems, kept }) =>
    kept === undefined
      ? line('error', 'configuration refused, and there is none to go on with', { revision, problems })
      : line('error', 'configuration refused, the one before stays in force', { revision, problems, kept }),
  'config-proven': ({ revision }) => line('info', 'configuration proven: its first pilots work', { revision }),
  'config-rolled-back': ({ revision, inForce, problems }) =>
    line('error', 'configuration refused: its first pilots failed, the one proven before is in force again', {
      revision,
      problems,
      inForce,
    }),
  'config-unreachable': ({ message }) =>
    line('warn', 'no word on a newer configuration, the one in force stays', { error: message }),
  'config-asked': ({ answered }) => line('debug', 'configuration asked for', { answered }),
  'engine-lost': ({ failure }) =>
    line('error', 'no word from the container engine: pilots are left as they are', {
      kind: failure.kind,
      error: failure.message,
    }),
  'engine-found': ({ version, apiVersion, yields }) =>
    line('info', 'container engine found', { engine: version, api: apiVersion, yields }),
  'events-lost': ({ message }) =>
    line('warn', 'no word from the container engine when pilots end: they are replaced at the next look', {
      error: message,
    }),
  'events-followed': () => line('info', 'the container engine tells again when pilots end'),
  'engine-called': ({ op, code, tookMs }) =>
    line('debug', 'container engine called', { op, code, ms: Math.round(tookMs) }),
  'mode-changed': ({ mode }) => line('info', MODE_SENTENCES[mode]),
  'private-binds': ({ paths }) =>
    paths.length === 0
      ? line('info', 'no bind is on a private mount any more')
      : line(
          'warn',
          'these binds are on private mounts: what is mounted there later will not show up in pilots; cure: mount --make-rshared /',
          { paths },
        ),
  'limit-changed': ({ holds }) => line('info', 'not more pilots because', { limits: holds.map((hold) => hold.text) }),
  'pilots-left': ({ stuck }) =>
    line('error', 'these pilots could not be removed and are left behind', {
      pilots: stuck.map(({ pilot, said }) => `${pilot.name}: ${said}`),
    }),
  'action-ended': ({ outcome }) => wordOutcome(outcome),
  'pilot-seen': ({ pilot: { name, address, imageId } }) =>
    line('debug', 'pilot runs', { pilot: name, address, image: imageId }),
  'post-mortem': ({ postMortem: { pilot, cause } }) => line('debug', 'post-mortem kept', { pilot: pilot.name, cause }),
  'pull-progress': ({ reference, doneBytes, totalBytes }) =>
    line('info', 'pulling image', {
      image: reference,
      doneMB: Math.round(doneBytes / 1e6),
      totalMB: Math.round(totalBytes / 1e6),
    }),
  'sink-trouble': ({ sink, message }) => line('warn', 'monitoring target in trouble', { sink, error: message }),
  'sink-recovered': ({ sink, message }) => line('info', 'monitoring target works again', { sink, said: message }),
  cycle: wordCycle,
  'cycle-held': ({ number }) => line('debug', 'cycle without a list of pilots', { cycle: number }),
};

/** How an event is told. */
export function word(event: RecordedEvent): Words {
  // The table has an entry for each type that takes just that event; TypeScript cannot tie the two together.
  const wording = WORDING[event.type] as (event: RecordedEvent) => Words;
  return wording(event);
}

/** As `word`, for what another version may have written: an event that this one does not know, or that has other parts, has no words. */
export function wordOfAnyVersion(event: RecordedEvent): Words {
  try {
    const words = word(event) as Words | undefined;
    if (words !== undefined) return words;
  } catch {
    // Said below.
  }
  return { level: 'info', message: `${event.type} (of another version)`, facts: { entry: event } };
}
