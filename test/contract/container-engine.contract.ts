import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ContainerEngine, Ownership } from '../../src/engine/container-engine.js';
import { pilotLabels, type Labels } from '../../src/engine/pilot-container.js';
import type { Pilot, PilotEnd, PilotSpec } from '../../src/model.js';
import { aSpec } from '../support/builders.js';

/** An engine with `busybox:latest`, and ways to do what others do to it. */
export interface EngineUnderTest {
  readonly engine: ContainerEngine;
  /** Runs a container that is not ours, of an image that may carry labels; returns its id. */
  addForeign(name: string, labels: Labels, imageLabels?: Labels): Promise<string>;
  /** Ids of all containers there are, whoever they belong to. */
  ids(): Promise<readonly string[]>;
  pause(name: string): Promise<void>;
  /** Makes a new image and gives it this name, as a pull would. */
  addImage(reference: string): Promise<void>;
  /** Gives an image another name, as others might. */
  tag(reference: string, name: string): Promise<void>;
  /** Removes what a test left. */
  discard(id: string): Promise<void>;
  close(): Promise<void>;
}

export const exitsWith3 = ['/bin/sh', '-c', 'exit 3'];
export const endsOnTerm = ['/bin/sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.1; done'];
export const ignoresTerm = ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];
export const talks = ['/bin/sh', '-c', 'echo one; echo zwölf >&2; echo three; exit 3'];
export const keepsBusy = ['/bin/sh', '-c', 'while :; do :; done'];
/** An engine cannot start what wants this device. */
export const missingDevice = { hostPath: '/dev/nonexistent', containerPath: '/dev/x', permissions: 'rw' };

/** What every container engine must do for Plancton, whatever it is made of. */
export function describeContract(title: string, open: () => Promise<EngineUnderTest>): void {
  describe(title, () => {
    let subject: EngineUnderTest;
    let ownership: Ownership;
    let before: readonly string[];

    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject.close());
    beforeEach(async () => {
      ownership = { instance: `test-${suffix()}`, adoptOriginal: false };
      before = await subject.ids();
    });
    afterEach(async () => {
      for (const id of await subject.ids()) if (!before.includes(id)) await subject.discard(id);
    });

    function spec(overrides: Partial<PilotSpec> = {}): PilotSpec {
      return aSpec({ name: `plancton-worker-${suffix()}`, instance: ownership.instance, ...overrides });
    }

    async function spawn(overrides: Partial<PilotSpec> = {}): Promise<string> {
      const id = await subject.engine.createPilot(spec(overrides), undefined);
      await subject.engine.startPilot(id);
      return id;
    }

    async function pilot(id: string): Promise<Pilot | undefined> {
      return (await subject.engine.listPilots(ownership)).find((candidate) => candidate.id === id);
    }

    /** Listens for ends, and notes what the list says of each when it is told. */
    async function follow(sinceWallMs: number | undefined) {
      const stop = new AbortController();
      const ends: { readonly id: string; readonly atWallMs: number; state: string | undefined; end: unknown }[] = [];
      const onEnd = (id: string, atWallMs: number, end: PilotEnd | undefined) => {
        void pilot(id).then((listed) => ends.push({ id, atWallMs, state: listed?.state, end }));
      };
      let ended: Promise<unknown> = Promise.resolve();
      await new Promise<void>((onOpen) => {
        const { instance } = ownership;
        const following = subject.engine.followEnds({ instance, sinceWallMs, onOpen, onEnd, signal: stop.signal });
        ended = following.catch((error: unknown) => error);
      });
      onTestFinished(() => {
        stop.abort();
      });
      return { ends, ended, stop };
    }

    it('tells what it has made of a pilot', async () => {
      const wanted = spec({
        user: '1000:1000',
        network: 'none',
        cpus: 0.25,
        memoryBytes: 20_000_000,
        swapBytes: 0,
        binds: ['/usr/share:/shared:ro'],
        devices: [{ hostPath: '/dev/null', containerPath: '/dev/x', permissions: 'r' }],
        capabilitiesAdded: ['SYS_NICE'],
        capabilitiesDropped: ['NET_RAW'],
        securityOptions: ['no-new-privileges'],
      });
      const made = await subject.engine.settingsOf(await subject.engine.createPilot(wanted, undefined), wanted);
      expect(made).toEqual({
        image: wanted.image,
        user: '1000:1000',
        privileged: false,
        binds: wanted.binds,
        devices: wanted.devices,
        capabilities: [expect.stringMatching(/^(CAP_)?SYS_NICE$/)],
        capabilitiesDropped: [expect.stringMatching(/^(CAP_)?NET_RAW$/)],
        securityOptions: ['no-new-privileges'],
        network: 'none',
        networks: expect.anything() as unknown,
        runtime: '',
        cgroupParent: '',
        cpus: 0.25,
        memoryBytes: 20_000_000,
        swapBytes: 0,
        pids: 4096,
        extras: [],
      });
      await expect(subject.engine.settingsOf('f'.repeat(64), wanted)).rejects.toMatchObject({ kind: 'not-found' });
      const foreign = await subject.addForeign(`foreign-${suffix()}`, {});
      await expect(subject.engine.settingsOf(foreign, wanted)).rejects.toMatchObject({ kind: 'malformed' });
    });

    it('tells what it is', async () => {
      const info = await subject.engine.info();
      expect(info.version).toMatch(/^\d/);
      expect(info.apiVersion).toMatch(/^1\.\d+$/);
      expect(info.dataRoot).toMatch(/^\//);
    });

    it('lists nothing of ours where there is nothing', async () => {
      await expect(subject.engine.listPilots(ownership)).resolves.toEqual([]);
    });

    it('lists a pilot that was created, with everything it was created with', async () => {
      const asked = spec({
        cpus: 0.25,
        memoryBytes: 32e6,
        flavour: 'fast',
        revision: 'abc123',
        bootId: 'boot',
        spawnedBootMs: 42,
      });
      const id = await subject.engine.createPilot(asked, undefined);
      const pilots = await subject.engine.listPilots(ownership);
      expect(pilots).toEqual([
        expect.objectContaining({
          id,
          name: asked.name,
          state: 'created',
          image: 'busybox:latest',
          cpus: 0.25,
          memoryBytes: 32e6,
          flavour: 'fast',
          revision: 'abc123',
          bootId: 'boot',
          spawnedBootMs: 42,
          exitCode: undefined,
          adopted: false,
        }),
      ]);
      expect(pilots[0]?.createdWallMs).toBeGreaterThan(0);
    });

    it('lists a started pilot as running, and starting it again changes nothing', async () => {
      const id = await spawn();
      await subject.engine.startPilot(id);
      expect((await pilot(id))?.state).toBe('running');
      await expect(subject.engine.pilotEnd(id)).resolves.toBeUndefined();
    });

    it('lists a pilot that ended, with its exit code, until it is removed', async () => {
      const id = await spawn({ command: exitsWith3 });
      await expect.poll(() => pilot(id)).toMatchObject({ state: 'exited', exitCode: 3 });
      const end = await subject.engine.pilotEnd(id);
      expect(end).toMatchObject({ exitCode: 3, oomKilled: false });
      // The engine stamps the start of a pilot that ends at once a moment after its end.
      expect(end?.finishedWallMs).toBeGreaterThan((end?.startedWallMs ?? Infinity) - 1000);
      await subject.engine.removePilot(id);
      await expect(subject.engine.listPilots(ownership)).resolves.toEqual([]);
      await expect(subject.engine.pilotEnd(id)).resolves.toBeUndefined();
    });

    it('says nothing about the end of a pilot that never ran', async () => {
      const id = await subject.engine.createPilot(spec(), undefined);
      await expect(subject.engine.pilotEnd(id)).resolves.toBeUndefined();
    });

    it('takes a name once', async () => {
      const asked = spec();
      await subject.engine.createPilot(asked, undefined);
      await expect(subject.engine.createPilot(asked, undefined)).rejects.toMatchObject({ kind: 'conflict' });
      await expect(subject.engine.listPilots(ownership)).resolves.toHaveLength(1);
    });

    it('makes no pilot of an image that is not there', async () => {
      const creating = subject.engine.createPilot(spec({ image: 'no-such-image:v1' }), undefined);
      await expect(creating).rejects.toMatchObject({ name: 'EngineError', kind: 'not-found' });
      await expect(subject.engine.listPilots(ownership)).resolves.toEqual([]);
    });

    it('tells that a pilot could not be started, and why', async () => {
      const id = await subject.engine.createPilot(spec({ devices: [missingDevice] }), undefined);
      const starting = subject.engine.startPilot(id);
      await expect(starting).rejects.toMatchObject({ name: 'EngineError', kind: 'refused' });
      await expect(starting).rejects.toThrow(/nonexistent/);
      expect((await pilot(id))?.state).toBe('created');
    });

    it('does not start what is gone', async () => {
      const id = await subject.engine.createPilot(spec(), undefined);
      await subject.engine.removePilot(id);
      await expect(subject.engine.startPilot(id)).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('removes a running pilot, and removing it once more is no failure', async () => {
      const id = await spawn();
      await subject.engine.removePilot(id);
      expect(await subject.ids()).not.toContain(id);
      await expect(subject.engine.removePilot(id)).resolves.toBeUndefined();
    });

    it('has removed a pilot when it says so, also to several who ask at once', async () => {
      const id = await spawn();
      const afterEachRemoval = async () => {
        await subject.engine.removePilot(id);
        return subject.ids();
      };
      for (const ids of await Promise.all([1, 2, 3].map(afterEachRemoval))) expect(ids).not.toContain(id);
    });

    it('asks a pilot to stop before it kills it', async () => {
      const id = await spawn({ command: endsOnTerm });
      await subject.engine.stopPilot(id, 30);
      await expect(subject.engine.pilotEnd(id)).resolves.toMatchObject({ exitCode: 7 });
    });

    it('kills a pilot that will not stop', async () => {
      const id = await spawn({ command: ignoresTerm });
      await subject.engine.stopPilot(id, 1);
      await expect(subject.engine.pilotEnd(id)).resolves.toMatchObject({ exitCode: 137, oomKilled: false });
    });

    it('finds nothing wrong with stopping what ended or is gone', async () => {
      const id = await spawn({ command: exitsWith3 });
      await expect.poll(() => pilot(id)).toMatchObject({ state: 'exited' });
      await subject.engine.stopPilot(id, 1);
      await subject.engine.removePilot(id);
      await expect(subject.engine.stopPilot(id, 1)).resolves.toBeUndefined();
    });

    it('lists a paused pilot as paused', async () => {
      const asked = spec();
      const id = await subject.engine.createPilot(asked, undefined);
      await subject.engine.startPilot(id);
      await subject.pause(asked.name);
      expect((await pilot(id))?.state).toBe('paused');
      await subject.engine.removePilot(id);
      expect(await subject.ids()).not.toContain(id);
    });

    it('pauses a pilot and lets it go on, and doing so twice is no failure', async () => {
      const id = await spawn();
      await subject.engine.pausePilot(id);
      await subject.engine.pausePilot(id);
      expect((await pilot(id))?.state).toBe('paused');
      await subject.engine.unpausePilot(id);
      await subject.engine.unpausePilot(id);
      expect((await pilot(id))?.state).toBe('running');
    });

    it('does not pause what does not run', async () => {
      const id = await subject.engine.createPilot(spec(), undefined);
      await expect(subject.engine.pausePilot(id)).rejects.toMatchObject({ name: 'EngineError' });
      await subject.engine.removePilot(id);
      await expect(subject.engine.pausePilot(id)).rejects.toMatchObject({ kind: 'not-found' });
      await expect(subject.engine.unpausePilot(id)).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('stops a paused pilot', async () => {
      const id = await spawn();
      await subject.engine.pausePilot(id);
      await subject.engine.stopPilot(id, 1);
      expect((await pilot(id))?.state).toBe('exited');
    });

    it('gives back what a pilot has written, the newest lines of it', async () => {
      const id = await spawn({ command: talks });
      await expect.poll(() => subject.engine.pilotEnd(id)).toMatchObject({ exitCode: 3 });
      const tail = (lines: number, maxBytes: number) => subject.engine.logTail(id, { lines, maxBytes });
      expect((await tail(100, 1000)).split('\n').sort()).toEqual(['', 'one', 'three', 'zwölf'].sort());
      expect((await tail(1, 1000)).split('\n')).toHaveLength(2);
      expect(await tail(0, 1000)).toBe('');
      const texts: string[] = [];
      const { signal } = new AbortController();
      await subject.engine.followLog(id, { lines: 100, onText: (text) => texts.push(text), signal });
      expect(texts.join('').split('\n').sort()).toEqual(['', 'one', 'three', 'zwölf'].sort());
      await subject.engine.removePilot(id);
      await expect(tail(1, 1000)).rejects.toMatchObject({ kind: 'not-found' });
    });

    it('never lists what is not ours, however much it looks like it', async () => {
      const { instance } = ownership;
      const ours = { [pilotLabels.managed]: 'true', [pilotLabels.instance]: instance };
      await subject.addForeign(`plancton-worker-db-of-${suffix()}`, {});
      await subject.addForeign(`plancton-worker-${suffix()}`, {});
      await subject.addForeign(`plancton-worker-${suffix()}`, { ...ours, [pilotLabels.instance]: 'another' });
      await subject.addForeign(`plancton-worker-${suffix()}`, { [pilotLabels.instance]: instance });
      await subject.addForeign(`of-a-committed-pilot-${suffix()}`, {
        ...ours,
        [pilotLabels.name]: 'plancton-worker-xxxxxx',
      });
      const service = `service-${suffix()}`;
      await subject.addForeign(service, {}, { ...ours, [pilotLabels.name]: service });
      await expect(subject.engine.listPilots(ownership)).resolves.toEqual([]);
    });

    it('adopts the pilots of an original Plancton when told to, by their exact name only', async () => {
      const name = `plancton-worker-${suffix()}`;
      const id = await subject.addForeign(name, {});
      const others = [
        await subject.addForeign(`plancton-worker-db-of-${suffix()}`, {}),
        await subject.addForeign(`x-plancton-worker-${suffix()}`, {}),
        await subject.addForeign(`plancton-worker-${suffix()}`, { [pilotLabels.managed]: 'true' }),
      ];
      const adopted = await subject.engine.listPilots({ ...ownership, adoptOriginal: true });
      expect(adopted).toContainEqual(
        expect.objectContaining({ id, name, adopted: true, cpus: undefined, state: 'running' }),
      );
      for (const other of others) expect(adopted).not.toContainEqual(expect.objectContaining({ id: other }));
    });

    it('knows which images it has', async () => {
      await expect(subject.engine.findImage('busybox')).resolves.toMatchObject({
        reference: 'busybox',
        id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      });
      await expect(subject.engine.findImage('busybox:latest')).resolves.not.toBeNull();
      await expect(subject.engine.findImage('no-such-image:v1')).resolves.toBeNull();
    });

    it('tells that an image cannot be had, and changes nothing', async () => {
      const reference = 'localhost:1/no-such-image:v1';
      const pulling = subject.engine.pullImage(reference, () => undefined, new AbortController().signal);
      await expect(pulling).rejects.toMatchObject({ name: 'EngineError' });
      await expect(subject.engine.findImage(reference)).resolves.toBeNull();
    });

    /** Brings a new image as a pull of ours does; returns its id. */
    async function bring(reference: string, instance = ownership.instance): Promise<string> {
      const before = await subject.engine.listImages(instance);
      await subject.addImage(reference);
      await subject.engine.markImage(reference, instance, before);
      const found = await subject.engine.findImage(reference);
      return found?.id ?? '';
    }

    async function image(id: string, instance = ownership.instance) {
      return (await subject.engine.listImages(instance)).find((candidate) => candidate.id === id);
    }

    it('marks an image that was brought, for its instance alone, and removes it with its name', async () => {
      const reference = `worker:${suffix()}`;
      const startedWallMs = Date.now();
      const id = await bring(reference);
      const found = await image(id);
      expect(found).toMatchObject({ names: [reference], othersNames: [], needed: false });
      expect(found?.marks).toHaveLength(1);
      expect(found?.markedWallMs).toBeGreaterThanOrEqual(startedWallMs);
      expect(found?.sizeBytes).toBeGreaterThan(0);

      const theirs = await image(id, 'another');
      expect(theirs).toMatchObject({ marks: [], markedWallMs: undefined, names: [], needed: true });
      expect(theirs?.othersNames).toEqual(expect.arrayContaining([reference, ...(found?.marks ?? [])]));
      await expect(subject.engine.dropImage(id, 'another')).resolves.toBe(false);
      await expect(subject.engine.findImage(reference)).resolves.not.toBeNull();

      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(true);
      await expect(subject.engine.findImage(reference)).resolves.toBeNull();
      expect(await image(id)).toBeUndefined();
      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(true);
    });

    it('marks no image that was here before', async () => {
      const reference = `theirs:${suffix()}`;
      await subject.addImage(reference);
      await subject.engine.markImage(reference, ownership.instance, await subject.engine.listImages('test'));
      const id = (await subject.engine.findImage(reference))?.id ?? '';
      expect(await image(id)).toMatchObject({ marks: [], othersNames: [reference] });
      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(false);
      await expect(subject.engine.findImage(reference)).resolves.not.toBeNull();
    });

    it('removes the image that has lost its name to a newer one, and not the newer one', async () => {
      const reference = `moving:${suffix()}`;
      const first = await bring(reference);
      const second = await bring(reference);
      expect(await image(first)).toMatchObject({ names: [], needed: false });
      await expect(subject.engine.dropImage(first, ownership.instance)).resolves.toBe(true);
      expect(await image(first)).toBeUndefined();
      expect(await image(second)).toMatchObject({ names: [reference] });
    });

    it('removes no image that a container was made from, even one that has ended, and leaves it its name', async () => {
      const reference = `used:${suffix()}`;
      const id = await bring(reference);
      const container = await spawn({ image: reference, command: exitsWith3 });
      await expect.poll(() => pilot(container)).toMatchObject({ state: 'exited' });
      expect(await image(id)).toMatchObject({ needed: true });
      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(false);
      await expect(subject.engine.findImage(reference)).resolves.toMatchObject({ id });
      await subject.engine.removePilot(container);
      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(true);
    });

    it('removes no image that others have given a name of theirs', async () => {
      const reference = `shared:${suffix()}`;
      const id = await bring(reference);
      await subject.tag(reference, `${reference}-mine`);
      expect(await image(id)).toMatchObject({ othersNames: [`${reference}-mine`], needed: true });
      await expect(subject.engine.dropImage(id, ownership.instance)).resolves.toBe(false);
      await expect(subject.engine.findImage(reference)).resolves.toMatchObject({ id });
    });

    it('tells the end of a pilot, by when it is listed as ended, and tells it again to who asks from then on', async () => {
      const first = await follow(undefined);
      const id = await spawn({ command: endsOnTerm });
      const other = await spawn({ command: endsOnTerm });
      await subject.engine.stopPilot(id, 30);
      const end = await subject.engine.pilotEnd(id);
      expect(end).toMatchObject({ exitCode: 7 });
      await expect.poll(() => first.ends).toMatchObject([{ id, state: 'exited', end }]);
      const second = await follow(first.ends[0]?.atWallMs);
      await expect.poll(() => second.ends.map((end) => end.id)).toEqual([id]);
      await subject.engine.stopPilot(other, 30);
      for (const { ends } of [first, second]) await expect.poll(() => ends.map((end) => end.id)).toEqual([id, other]);
    });

    it('tells nothing of pilots that are not ours, and nothing any more when nobody listens', async () => {
      const ours = await follow(undefined);
      const mine = ownership;
      ownership = { ...mine, instance: `${mine.instance}-other` };
      await subject.engine.removePilot(await spawn());
      ownership = mine;
      const id = await spawn();
      await subject.engine.removePilot(id);
      await expect.poll(() => ours.ends.map((end) => end.id)).toEqual([id]);
      ours.stop.abort();
      await expect(ours.ended).resolves.toMatchObject({ name: 'EngineError', kind: 'timeout' });
      await subject.engine.removePilot(await spawn());
      expect(ours.ends).toHaveLength(1);
    });

    it('counts the CPU time of a pilot, or says that it cannot', async () => {
      const id = await spawn({ command: keepsBusy });
      const read = () => subject.engine.pilotCpuNs(id);
      const first = await read().catch((error: unknown) => error);
      // Real engines cannot where a cgroup controller is in use but not mounted; they then answer with zeroes.
      if (typeof first !== 'number') expect(first).toMatchObject({ name: 'EngineError', kind: 'refused' });
      else await expect.poll(read).toBeGreaterThan(first);
    });

    it('guesses no CPU time for a pilot that does not run', async () => {
      const id = await subject.engine.createPilot(spec(), undefined);
      await expect(subject.engine.pilotCpuNs(id)).rejects.toMatchObject({ kind: 'refused' });
      await subject.engine.removePilot(id);
      await expect(subject.engine.pilotCpuNs(id)).rejects.toMatchObject({ kind: 'not-found' });
    });
  });
}

/** Six characters, as in the names of pilots. */
export function suffix(): string {
  return randomBytes(3).toString('hex');
}
