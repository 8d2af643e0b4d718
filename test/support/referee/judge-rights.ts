import type { Blame } from './sightings.js';

/** What the engine says a container was given, as far as it is a part of the host. */
interface Inspected {
  readonly Name: string;
  readonly HostConfig: {
    readonly Privileged: boolean;
    readonly Binds: readonly string[] | null;
    readonly Devices: readonly unknown[] | null;
    readonly CapAdd: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
    readonly NetworkMode: string;
    readonly PidMode: string;
    readonly IpcMode: string;
    readonly UsernsMode: string;
    readonly UTSMode: string;
    readonly PidsLimit: number | null;
    readonly Memory: number;
  };
}

/** What the pilots may be given of the host, beyond their share of CPUs and memory. */
export interface Rights {
  /** Folders of the host. */
  readonly binds: readonly string[];
}

type Host = Inspected['HostConfig'];

/** What a container may have too much of, and how that is told; '' where it has not. */
const rules: readonly ((host: Host, rights: Rights) => string)[] = [
  ({ Privileged }) => (Privileged ? 'is privileged' : ''),
  ({ Binds }, { binds }) => list('has', Binds, (bind) => !binds.includes(bind.split(':')[0] ?? '')),
  ({ Devices }) => ((Devices ?? []).length > 0 ? 'has devices' : ''),
  ({ CapAdd }) => list('may', CapAdd, () => true),
  ({ SecurityOpt }) => list('runs with', SecurityOpt, (option) => option.includes('unconfined')),
  ({ NetworkMode, PidMode, IpcMode, UsernsMode, UTSMode }) =>
    list('shares', [NetworkMode, PidMode, IpcMode, UsernsMode, UTSMode], (mode) => /^(host|container:)/.test(mode)),
  ({ PidsLimit }) => ((PidsLimit ?? 0) > 0 ? '' : 'may have any number of processes'),
  ({ Memory }) => (Memory > 0 ? '' : 'may take all memory'),
];

function list(verb: string, words: readonly string[] | null, isTooMuch: (word: string) => boolean): string {
  const found = (words ?? []).filter(isTooMuch);
  return found.length === 0 ? '' : `${verb} ${found.join(' ')}`;
}

/** P5: a pilot that runs has no more than this. */
export function judgeRights(inspected: unknown, rights: Rights, blame: Blame): void {
  // Nobody but the engine writes this.
  const { Name, HostConfig } = inspected as Inspected;
  for (const rule of rules) {
    const what = rule(HostConfig, rights);
    if (what !== '') blame('P5 policy', `${Name.slice(1)} ${what}`);
  }
}
