import { Readable } from 'node:stream';
import { it } from 'vitest';
import { EngineError } from '../../src/engine/container-engine.js';
import { readMessages } from '../../src/engine/docker-messages.js';
import * as replies from '../../src/engine/docker-reply.js';
import { readContainerSettings } from '../../src/engine/docker-settings.js';
import { fromContainerSummary, pilotLabels, toCreateOptions } from '../../src/engine/pilot-container.js';
import { aSpec } from '../support/builders.js';
import { createDice, type Dice } from './dice.js';
import { fuzz } from './fuzz.js';
import { mutateText } from './mutate-text.js';
import { mutateValue } from './mutate-value.js';

const id = 'f'.repeat(64);
const ownership = { instance: 'here', adoptOriginal: true };
const { HostConfig, ...Config } = toCreateOptions(aSpec(), '/plancton/x', { appArmor: true, logDriver: 'json-file' });
const labels = { ...Config.Labels, [pilotLabels.instance]: 'here' };

const summary = {
  Id: id, Names: ['/plancton-worker-aaaaaa'], Image: 'busybox', Created: 1_767_225_600, State: 'running', Status: 'Up 2 minutes', Labels: labels,
  Ports: [], Mounts: [],
}; // prettier-ignore

interface Reader {
  readonly reply: unknown;
  /** The parts of it that decide something; throws an EngineError. */
  readonly read: (reply: unknown) => unknown;
}

const readers: readonly Reader[] = [
  {
    reply: [summary, { ...summary, State: 'exited', Status: 'Exited (1) 5 seconds ago' }],
    read: (reply) => replies.readSummaries(reply).map((one) => fromContainerSummary(one, ownership)),
  },
  {
    reply: {
      Id: id,
      State: {
        Status: 'exited', Running: false, Paused: false, OOMKilled: false, Dead: false, Pid: 0, ExitCode: 1, Error: '',
        StartedAt: '2026-01-01T10:00:00.123456789Z', FinishedAt: '2026-01-01T10:00:05Z',
      }, // prettier-ignore
    },
    read: replies.readContainerState,
  },
  {
    reply: {
      Type: 'container',
      Action: 'die',
      Actor: { ID: id, Attributes: labels },
      time: 1,
      timeNano: 1_767_225_600_000_000_000,
    },
    read: (reply) => replies.readEnd(reply, 'here'),
  },
  {
    reply: { read: '2026-01-01T10:00:00Z', cpu_stats: { cpu_usage: { total_usage: 12_345 } } },
    read: replies.readCpuNs,
  },
  { reply: { Id: `sha256:${id}`, RepoTags: ['busybox:latest'] }, read: replies.readImage },
  { reply: { ApiVersion: '1.41', MinAPIVersion: '1.12', Version: '20.10.24' }, read: replies.readApiRange },
  {
    reply: {
      ServerVersion: '20.10.24', CgroupDriver: 'systemd', CgroupVersion: '1', SecurityOptions: ['name=apparmor', 'name=seccomp,profile=default'],
      DockerRootDir: '/var/lib/docker',
    }, // prettier-ignore
    read: (reply) => replies.readInfo(reply, '1.41'),
  },
  { reply: { Id: id, Config, HostConfig }, read: readContainerSettings },
];

/** Nothing that computing would turn into nonsense later. */
function expectSane(value: unknown): void {
  if (typeof value === 'number' && Number.isNaN(value)) throw new Error('there is no number');
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(expectSane);
}

it('replies', () =>
  fuzz({
    name: 'engine reply',
    make: (dice) => {
      const index = dice.below(readers.length);
      let reply = readers[index]?.reply;
      if (dice.chance(0.65)) for (let left = 1 + dice.below(2); left > 0; left -= 1) reply = mutateValue(reply, dice);
      return { index, reply };
    },
    feed: ({ index, reply }) => {
      try {
        expectSane(readers[index]?.read(reply));
        return true;
      } catch (error) {
        if (error instanceof EngineError) return false;
        throw error;
      }
    },
  }));

function messages(dice: Dice): string {
  const lines = dice.times(6, () => JSON.stringify(dice.pick(readers).reply));
  const text = lines.map((line) => `${line}${dice.pick(['\n', '\r\n', '\n\n'])}`).join('');
  return dice.chance(0.5) ? mutateText(text, dice) : text;
}

/** As a network might bring it. */
function inPieces(text: string, seed: number): readonly Buffer[] {
  const dice = createDice(seed);
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + dice.below(400);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

it('streams of messages', () =>
  fuzz({
    name: 'engine stream',
    make: (dice) => ({ text: messages(dice), cut: dice.below(2 ** 31) }),
    feed: async ({ text, cut }) => {
      try {
        for await (const message of readMessages(Readable.from(inPieces(text, cut)))) {
          if (typeof message !== 'object') throw new Error('no message');
        }
        return true;
      } catch (error) {
        if (error instanceof EngineError) return false;
        throw error;
      }
    },
  }));
