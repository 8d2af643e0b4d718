import type { Step } from './schedule.js';
import type { World } from './world.js';

type Doing<Kind extends Step['do']> = Extract<Step, { readonly do: Kind }>;

const effects: { readonly [Kind in Step['do']]: (world: World, step: Doing<Kind>) => void | Promise<void> } = {
  tick: (world, { ms }) => world.clock.advance(ms),
  fault: (world, { method, skip, times, fate }) => {
    world.requests.addRule(method, skip, times, fate);
  },
  heal: (world) => {
    world.heal();
  },
  'engine-restart': (world, { liveRestore, awayMs }) => world.restartEngine(liveRestore, awayMs),
  'kill-daemon': async (world, { downMs }) => {
    world.killDaemon();
    await world.clock.advance(downMs);
    await world.startDaemon();
  },
  exit: (world, { which, code }) => {
    world.exit(which, code);
  },
  stick: (world, { which }) => {
    world.withOne(which, ({ id, state }) => {
      if (state === 'running') world.requests.stuck.add(id);
    });
  },
  foreign: (world, { kind }) => {
    world.addForeign(kind);
  },
  operator: (world, { act, which }) => world.operate(act, which),
  push: (world, { number }) => {
    world.push(number);
  },
  'push-bad': (world, { number }) => {
    world.pushBad(number);
  },
  rules: (world, { number }) => {
    world.rules = number;
  },
  mode: (world, { mode }) => {
    world.setMode(mode);
  },
  wall: (world, { ms }) => {
    world.clock.stepWall(ms);
  },
  suspend: (world, { ms }) => {
    world.clock.suspend(ms);
  },
  memory: (world, { state }) => {
    world.memory = state;
  },
  load: (world, { cpus }) => {
    world.foreign = cpus;
  },
  lifetime: (world, { ms }) => {
    world.lifetimeMs = ms;
  },
  events: (world, { lost }) => {
    world.engine.events.lost = lost;
  },
  say: (world, { which }) => {
    world.withOne(which, ({ id }) => {
      world.engine.events.say(id);
    });
  },
  source: (world, { away }) => {
    world.sourceAway = away;
  },
  image: (world, { here }) => {
    world.setImages(here);
  },
  registry: (world, { has }) => {
    world.setRegistry(has);
  },
};

/** Lets one thing happen. Resolves when the time it takes is over. */
export async function applyStep(world: World, step: Step): Promise<void> {
  const effect = effects[step.do] as (world: World, step: Step) => void | Promise<void>;
  await effect(world, step);
}
