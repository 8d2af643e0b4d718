import { createRandom } from '../../src/simulate/random.js';

/** What the oracle knows about a configuration without reading it. Durations in seconds. */
export interface Settings {
  readonly cap: number;
  readonly cpus: number;
  readonly image: string;
  readonly ttl: number;
  readonly pace: number;
  readonly growth: 'doubling' | 'fixed';
  readonly evict: 'always' | 'never';
  readonly freezes: boolean;
}

/** The same in all configurations of the model; seconds. */
export const TIMES = {
  look: 10,
  graceKill: 20,
  graceSpawn: 20,
  stop: 5,
  fizzle: 5,
  backoffMax: 60,
  freezeMax: 60,
  foreignWindow: 30,
  updateconfig: 20,
} as const;

/** CPUs of the host of the model; its slack and margin follow from the defaults. */
export const HOST_CPUS = 8;
export const SLACK = 0.5;
export const MARGIN = 0.25;

/** The last one is allowed by no owner. */
export const IMAGES = ['site/a:1', 'site/b:1', 'evil/c:1'];

const MEMORY = 1_000_000_000;

function makeSettings(count: number): readonly Settings[] {
  const random = createRandom(20_160_901);
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return Array.from({ length: count }, () => ({
    cap: pick(0, 1, 3, 6, 8, 8, 12),
    cpus: pick(0.5, 1, 1, 1, 2),
    image: pick('site/a:1', 'site/a:1', 'site/b:1', 'site/b:1', 'site/b:1', 'evil/c:1'),
    ttl: pick(60, 300, 1200, 1200),
    pace: pick(1, 2, 4, 8),
    growth: pick('doubling', 'fixed'),
    evict: pick('always', 'always', 'always', 'never'),
    freezes: pick(true, false, false),
  }));
}

/** Configurations that are valid, by number. */
export const SETTINGS = makeSettings(24);

/** The text of configuration `number`; its number is in three places that must stay together. */
export function configText(number: number): string {
  const settings = SETTINGS[number];
  if (settings === undefined) throw new Error(`there is no configuration ${number}`);
  const { cap, cpus, image, ttl, pace, growth, evict, freezes } = settings;
  return [
    `docker_image: ${image}`,
    `docker_cmd: [run, "${number}"]`,
    `docker_env: { NUMBER: "${number}" }`,
    `max_docks: ${cap}`,
    `cpus_per_dock: ${cpus}`,
    `max_dock_mem: ${MEMORY + number}`,
    `max_ttl: ${ttl}`,
    `docks_per_loop: ${pace}`,
    `growth: ${growth}`,
    `evict: ${evict}`,
    `reclaim: [${freezes ? 'freeze, stop' : 'stop'}]`,
    `main_sleep: ${TIMES.look}`,
    `grace_kill: ${TIMES.graceKill}`,
    `grace_spawn: ${TIMES.graceSpawn}`,
    `stop_timeout: ${TIMES.stop}`,
    `fizzle_seconds: ${TIMES.fizzle}`,
    'backoff_seconds: 5',
    `backoff_max: ${TIMES.backoffMax}`,
    `freeze_max: ${TIMES.freezeMax}`,
    `foreign_window: ${TIMES.foreignWindow}`,
    `updateconfig: ${TIMES.updateconfig}`,
  ].join('\n');
}

/** Of which number the settings are that these parts of a pilot come from. */
export function memoryOf(number: number): number {
  return MEMORY + number;
}

/** What must never be in force. */
export const BAD_CONFIGS = ['max_docks: [', 'max_docks: 1 +', 'max_ttl: -1', 'docker_image: []'];

/** What the owner of the host says. `text` undefined: the file is broken. */
export interface HostRules {
  readonly mostDocks: number;
  readonly images: readonly string[];
  readonly text: string | undefined;
}

function hostRules(mostDocks: number, images: readonly string[]): HostRules {
  const list = images.map((image) => image.replace(/:1$/, '')).join(', ');
  return { mostDocks, images, text: `images: [${list}]\nusers: ["0:0"]\nmost_docks: ${mostDocks}\n` };
}

export const RULES: readonly HostRules[] = [
  hostRules(10_000, IMAGES.slice(0, 2)),
  hostRules(4, IMAGES.slice(0, 2)),
  hostRules(10_000, IMAGES.slice(0, 1)),
  { mostDocks: 0, images: [], text: undefined },
];
