import { describe, expect, test } from 'vitest';
import type { Resources } from '../../../src/model.js';
import { anInFlight, someResources } from '../../support/builders.js';
import { aConfig, aStory, gatesOf, pilotsOf, spawnsOf, withPilot, type Look } from '../../support/plan-builders.js';

const GB = 1e9;
const config = aConfig({ docks_per_loop: 100, max_dock_mem: 2 * GB, min_free_mem: GB, min_free_disk: GB });

/** One look of a daemon that has just come to a host with these resources. */
function lookAt(resources: Partial<Resources>, look: Look = {}) {
  return aStory(look.config ?? config).look({ ...look, resources: someResources(resources) });
}

function memory(availableGB: number, pilotsGB = 0): Partial<Resources> {
  return { memory: { availableBytes: availableGB * GB, pilotsBytes: pilotsGB * GB } };
}

describe('memory', () => {
  test.each([
    { available: 9, pilots: 0, starts: 4, why: 'four leave just what has to stay free' },
    { available: 8.999, pilots: 0, starts: 3, why: 'a little less is one pilot less' },
    { available: 3, pilots: 0, starts: 1, why: 'the first one' },
    { available: 1, pilots: 0, starts: 1, why: 'the first one, even if it may take more than there is' },
    { available: 0.999, pilots: 0, starts: 0, why: 'not even the first one into what has to stay free' },
    { available: 9, pilots: 1, starts: 3, why: 'a promise counts until it is taken' },
    { available: 2.999, pilots: 1, starts: 0, why: 'the second one needs all it may take' },
  ])(
    'for $starts pilots, beside $pilots with nothing taken, of $available GB: $why',
    ({ available, pilots, starts }) => {
      expect(spawnsOf(lookAt(memory(available), { pilots: pilotsOf(pilots) }))).toHaveLength(starts);
    },
  );

  test('that pilots have taken is not counted twice', () => {
    expect(spawnsOf(lookAt(memory(5, 0), { pilots: pilotsOf(2) }))).toHaveLength(0);
    expect(spawnsOf(lookAt(memory(5, 4), { pilots: pilotsOf(2) }))).toHaveLength(2);
    expect(spawnsOf(lookAt(memory(5, 40), { pilots: pilotsOf(2) }))).toHaveLength(2);
  });

  test('that one pilot without a limit holds makes up for nothing that was promised to others', () => {
    const pilots = [...pilotsOf(2), ...pilotsOf(1, { name: 'free', id: 'free', memoryBytes: 0 })];
    expect(spawnsOf(lookAt(memory(9, 20), { pilots }))).toHaveLength(2);
  });

  test('is promised by the label of a pilot, whatever the configuration says now', () => {
    expect(spawnsOf(lookAt(memory(9), { pilots: pilotsOf(1, { memoryBytes: 6 * GB }) }))).toHaveLength(1);
    expect(spawnsOf(lookAt(memory(9), { pilots: pilotsOf(1, { memoryBytes: undefined }) }))).toHaveLength(3);
    expect(spawnsOf(lookAt(memory(9), { pilots: pilotsOf(1, { memoryBytes: 0 }) }))).toHaveLength(4);
  });

  test('is promised to pilots that were asked for and are not listed yet', () => {
    const inFlight = anInFlight({ spawning: [{ name: 'plancton-worker-new', cpus: 1 }] });

    expect(spawnsOf(lookAt(memory(5), { inFlight }))).toHaveLength(1);
  });

  test('is promised to those that replace others in the same look', () => {
    const pilots = withPilot(pilotsOf(2), 0, { state: 'exited' });
    const reasons = spawnsOf(lookAt(memory(7), { pilots })).map(({ reason }) => reason);

    expect(reasons).toStrictEqual(['replacement', 'growth']);
  });

  test('has no first pilot to favour where one is replaced', () => {
    expect(spawnsOf(lookAt(memory(4), { pilots: pilotsOf(1, { state: 'exited' }) }))).toHaveLength(1);
  });

  test('is not promised where pilots have no limit', () => {
    const unlimited = aConfig({ docks_per_loop: 100, max_dock_mem: 0, min_free_mem: GB });

    expect(spawnsOf(lookAt(memory(1), { config: unlimited }))).toHaveLength(8);
    expect(spawnsOf(lookAt(memory(0.999), { config: unlimited }))).toHaveLength(0);
  });

  test('is not looked at with min_free_mem 0', () => {
    const careless = aConfig({ docks_per_loop: 100, min_free_mem: 0 });

    expect(spawnsOf(lookAt({ memory: undefined }, { config: careless }))).toHaveLength(8);
  });

  test('goes by the settings that new pilots get while another image is waited for', () => {
    const story = aStory(config);
    story.look({ resources: someResources(memory(9)) });
    const next = aConfig({ docks_per_loop: 100, max_dock_mem: GB, min_free_mem: GB, docker_image: 'site/pilot:2' });

    const seen = { image: null, resources: someResources(memory(9)) };
    expect(spawnsOf(story.look({ ...seen, config: next }))).toHaveLength(4);
  });
});

describe('disk', () => {
  const disk = { freeBytes: 50 * GB, totalBytes: 100 * GB, freeInodes: 5000, totalInodes: 10_000 };

  test.each([
    { changes: { freeBytes: GB }, starts: 8 },
    { changes: { freeBytes: GB - 1 }, starts: 0 },
    { changes: { freeInodes: 100 }, starts: 8 },
    { changes: { freeInodes: 99 }, starts: 0 },
    { changes: { freeInodes: 0, totalInodes: 0 }, starts: 8 },
  ])('with $changes lets $starts grow', ({ changes, starts }) => {
    expect(spawnsOf(lookAt({ disk: { ...disk, ...changes } }))).toHaveLength(starts);
  });

  test('is not looked at with min_free_disk 0', () => {
    const careless = aConfig({ docks_per_loop: 100, min_free_disk: 0 });

    expect(spawnsOf(lookAt({ disk: { ...disk, freeBytes: 0, freeInodes: 0 } }, { config: careless }))).toHaveLength(8);
  });
});

describe('pressure', () => {
  const calm = { memorySome10: 0, memorySome60: 0, ioFull60: 0 };

  test.each([
    { changes: { memorySome60: 9.99 }, starts: 8 },
    { changes: { memorySome60: 10 }, starts: 0 },
    { changes: { ioFull60: 39.99 }, starts: 8 },
    { changes: { ioFull60: 40 }, starts: 0 },
    { changes: { memorySome10: 100 }, starts: 8 },
  ])('of $changes lets $starts grow', ({ changes, starts }) => {
    expect(spawnsOf(lookAt({ pressure: { ...calm, ...changes } }))).toHaveLength(starts);
  });
});

describe('processes and threads', () => {
  test.each([
    { count: 899, starts: 8 },
    { count: 900, starts: 0 },
    { count: 1200, starts: 0 },
  ])('of which $count of 1000 are there let $starts grow', ({ count, starts }) => {
    expect(spawnsOf(lookAt({ tasks: { count, most: 1000 } }))).toHaveLength(starts);
  });
});

describe('each gate', () => {
  const shut: readonly Partial<Resources>[] = [
    memory(0),
    { disk: { freeBytes: 0, totalBytes: 1, freeInodes: 1, totalInodes: 1 } },
    { pressure: { memorySome10: 0, memorySome60: 50, ioFull60: 0 } },
    { tasks: { count: 95, most: 100 } },
  ];

  test.each(shut)('lets replacements pass: %j', (resources) => {
    const story = aStory(config);
    story.look({ pilots: pilotsOf(8), resources: someResources(resources) });
    const decision = story.look({ pilots: pilotsOf(7), resources: someResources(resources) });

    expect(spawnsOf(decision).map(({ reason }) => reason)).toStrictEqual(['replacement']);
  });

  test.each(['memory', 'disk', 'pressure', 'tasks'] as const)('of what could not be read is shut: %s', (resource) => {
    const decision = lookAt({ [resource]: undefined });

    expect(spawnsOf(decision)).toHaveLength(0);
    expect(gatesOf(decision)).toStrictEqual([resource]);
    expect(decision.holds[0]?.text).toContain('could not be read');
  });

  test.each(['memory', 'disk', 'pressure', 'tasks'] as const)('of what is not there is open: %s', (resource) => {
    expect(spawnsOf(lookAt({ [resource]: null }))).toHaveLength(8);
  });

  test.each([
    {
      resources: memory(4.25, 0),
      text: 'memory: 4.3 GB of memory available, pilots may yet take 2.0 GB of it, one more may take 2.0 GB, min_free_mem 1.0 GB',
    },
    {
      resources: { disk: { freeBytes: 250e6, totalBytes: GB, freeInodes: 1, totalInodes: 1 } },
      text: "disk: 250 MB free on the engine's disk, min_free_disk 1.0 GB",
    },
    {
      resources: { disk: { freeBytes: GB, totalBytes: GB, freeInodes: 3, totalInodes: 1000 } },
      text: "disk: 3 of 1000 inodes free on the engine's disk, less than 1 %",
    },
    {
      resources: { pressure: { memorySome10: 0, memorySome60: 12.5, ioFull60: 0 } },
      text: 'pressure: tasks waited for memory in 12.5 % of the last minute, limit 10 %',
    },
    {
      resources: { pressure: { memorySome10: 0, memorySome60: 0, ioFull60: 61 } },
      text: 'pressure: all tasks waited for a disk in 61 % of the last minute, limit 40 %',
    },
    {
      resources: { tasks: { count: 30_000, most: 32_768 } },
      text: 'tasks: 30000 of the 32768 processes and threads that the host can have, limit 90 %',
    },
  ])('says why it is shut: $text', ({ resources, text }) => {
    const { holds } = lookAt(resources, { pilots: pilotsOf(1) });

    expect(holds.map((hold) => `${hold.gate}: ${hold.text}`)).toStrictEqual([text]);
  });

  test('is named only where it is narrower than the pace, and room in CPUs is left', () => {
    const slow = aConfig({ docks_per_loop: 1, max_dock_mem: 2 * GB, min_free_mem: GB });

    expect(gatesOf(lookAt(memory(5), { config: slow }))).toStrictEqual(['pace']);
    expect(gatesOf(lookAt(memory(3), { config: slow }))).toStrictEqual(['memory']);
    expect(gatesOf(lookAt(memory(0), { config: slow, pilots: pilotsOf(8) }))).toStrictEqual(['cap']);
  });
});
