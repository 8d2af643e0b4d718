import type { Life } from './endpoints.js';
import { killOne, patienceMs, running, until, type Stage } from './stage.js';

interface Way {
  /** Beyond those of every daemon of the matrix. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Brings the daemon to ask. */
  readonly provoke: (stage: Stage) => void | Promise<void>;
  readonly calm: (stage: Stage) => void;
}

const nothing = () => undefined;
const shortLives = { max_ttl: 4 };
/** Pilots must make room on a host of this size, which counts as full whatever it does; by standing still. */
const crowded = {
  cpus: 0.1,
  cpu_slack: 64,
  evict: 'always',
  reclaim: ['freeze', 'stop'],
  grace_kill: 0,
  evict_margin: 0,
};

function breakOnce({ lane }: Stage): void {
  lane.proxy.add({ method: 'GET', path: /^\/containers\/json$/, times: 1, forward: false, delivery: 'reset' });
}

let turn = 0;

export const lives: Readonly<Record<Life, Way>> = {
  'short lives': { settings: shortLives, provoke: nothing, calm: nothing },
  'engine lost': { settings: shortLives, provoke: breakOnce, calm: nothing },
  freeze: {
    settings: {},
    provoke: ({ lane }) => {
      lane.configure(crowded);
    },
    calm: ({ lane }) => {
      lane.configure({});
    },
  },
  thaw: {
    settings: {},
    provoke: async ({ lane }) => {
      lane.configure(crowded);
      const isFrozen = () => lane.status()?.pilots.some(({ state }) => state === 'paused') ?? false;
      await until(isFrozen, patienceMs);
      lane.configure({});
    },
    calm: nothing,
  },
  'another image': {
    settings: {},
    provoke: ({ lane, images }) => {
      turn += 1;
      lane.configure({ docker_image: images[turn % images.length] });
    },
    calm: nothing,
  },
  'new images': {
    settings: { ...shortLives, image_keep: 0 },
    provoke: async ({ lane, publish }) => {
      lane.configure({ docker_image: await publish?.() });
    },
    calm: nothing,
  },
  adopted: { settings: { adopt_original: true }, provoke: nothing, calm: nothing },
  killed: {
    settings: {},
    provoke: async (stage) => {
      await until(() => running(stage).now.length > 0, patienceMs);
      await killOne(stage);
    },
    calm: nothing,
  },
};
