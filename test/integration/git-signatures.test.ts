import { appendFile, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { checkConfig } from '../../src/config/check-config.js';
import { cloneConfig } from '../../src/config/git/git-clone.js';
import { createConfigKeeper, type ConfigKeeper } from '../../src/config/keeper.js';
import { openConfigSource } from '../../src/config/open-source.js';
import type { Config } from '../../src/config/schema.js';
import type { ConfigSource } from '../../src/config/source.js';
import { readPolicyFile } from '../../src/policy/policy-file.js';
import { readSignatureRules } from '../../src/policy/signature-rules.js';
import { aHost } from '../support/builders.js';
import { createConfigRepo, createTempDir, git, type ConfigRepo } from '../support/config-repo.js';
import { createGpgSigner, createSshSigner, endGpgAgents, type Signer } from '../support/signing.js';

const uid = process.getuid?.() ?? 0;
const env = { PATH: process.env['PATH'] };

let keys: Awaited<ReturnType<typeof createTempDir>>;
let ann: Signer;
let stranger: Signer;
let gpg: Signer;
let unknownGpg: Signer;
let expiredGpg: Signer;
let revokedGpg: Awaited<ReturnType<typeof createGpgSigner>>;

beforeAll(async () => {
  keys = await createTempDir();
  ann = await createSshSigner(keys.path, 'ann');
  stranger = await createSshSigner(keys.path, 'stranger');
  gpg = await createGpgSigner(keys.path, 'bob');
  unknownGpg = await createGpgSigner(keys.path, 'eve');
  expiredGpg = await createGpgSigner(keys.path, 'old', '1d', '20250101T000000');
  revokedGpg = await createGpgSigner(keys.path, 'lost');
  await revokedGpg.revoke();
});
afterAll(async () => {
  await endGpgAgents(['bob', 'eve', 'old', 'lost'].map((name) => join(keys.path, name)));
  await keys.remove();
});

let temp: Awaited<ReturnType<typeof createTempDir>>;
let upstream: ConfigRepo;
let confDir: string;
let policyFile: string;
/** Of the keeper that was made last. */
let source: ConfigSource;

beforeEach(async () => {
  temp = await createTempDir();
  confDir = join(temp.path, 'etc', 'plancton');
  policyFile = join(temp.path, 'policy.yaml');
  upstream = await createConfigRepo(join(temp.path, 'upstream'), {});
  await upstream.commit({ 'config.yaml': 'max_docks: 1\n' }, { signer: ann });
});
afterEach(() => temp.remove());

/** Says in the policy of this host who may sign. */
async function trust(mode: string, files: readonly string[]): Promise<void> {
  await writeFile(policyFile, JSON.stringify({ config_signatures: mode, config_keys: files }), { mode: 0o644 });
}

function clone(): Promise<void> {
  const url = `file://${upstream.path}`;
  return cloneConfig({ url, into: confDir, env, clock: systemClock, deadlineMs: 60_000, wantsTags: true });
}

async function aKeeper(): Promise<ConfigKeeper<Config>> {
  source = await openConfigSource({
    confDir,
    stateDir: join(temp.path, 'state'),
    hostname: 'wn042',
    clock: systemClock,
    env,
    remoteIntervalMs: () => 0,
    signatures: async () => readSignatureRules(await readPolicyFile(policyFile, uid), uid),
  });
  return createConfigKeeper({ source, clock: systemClock, load: (layers) => checkConfig(layers, aHost()) });
}

/** A host with the first, signed, revision in force. */
async function aHostThat(mode: string, files = [ann, gpg, expiredGpg, revokedGpg].map((signer) => signer.publicFile)) {
  await trust(mode, files);
  await clone();
  const keeper = await aKeeper();
  expect(await keeper.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
  return keeper;
}

const next = { 'config.yaml': 'max_docks: 2\n' };

/** Expects that a look refuses what is upstream, by name, and changes nothing; gives the reason. */
async function refusalOf(keeper: ConfigKeeper<Config>): Promise<string> {
  const before = keeper.state.inForce?.revision.id;
  const commit = await upstream.git('rev-parse', 'HEAD');
  expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: commit } });
  expect(keeper.state.inForce?.revision.id).toBe(before);
  expect(await readFile(join(confDir, 'config.yaml'), 'utf8')).toBe('max_docks: 1\n');
  const restarted = await aKeeper();
  expect(await restarted.start()).toMatchObject({ type: 'accepted', inForce: { revision: { id: before } } });
  return keeper.state.refused?.problems.join('\n') ?? '';
}

/** Expects that a look puts in force what is upstream, by whom it was signed. */
async function takesNext(keeper: ConfigKeeper<Config>, by: RegExp): Promise<void> {
  expect(await keeper.refresh()).toMatchObject({
    type: 'accepted',
    inForce: {
      config: { max_docks: 2 },
      warnings: [],
    },
  });
  expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  // A restart, which also knows who signed.
  expect(await (await aKeeper()).start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 2 } } });
  const { inForce } = keeper.state;
  expect(inForce && source.signature?.(inForce.revision)).toEqual({ by: expect.stringMatching(by) as string });
}

describe('a host that requires signatures takes', () => {
  it('a commit signed by the SSH key it knows', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next, { signer: ann });
    await takesNext(keeper, /^ann@site\.org \(SHA256:/);
  });

  it('a commit signed by the GPG key it knows', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next, { signer: gpg });
    await takesNext(keeper, /^bob <bob@site\.org> \([0-9A-F]{40}\)$/);
  });

  it.each(['ssh', 'gpg'])(
    'a commit that is not signed, once a tag with a good signature is on it (%s)',
    async (kind) => {
      const keeper = await aHostThat('require');
      await upstream.commit(next);
      expect(await refusalOf(keeper)).toMatch(/is not signed; sign the commit \(git commit -S\), or push a signed tag/);
      await upstream.tag('v2', kind === 'ssh' ? ann : gpg);
      await takesNext(keeper, /, in the tag v2$/);
    },
  );

  it('a commit under a signed tag in a clone for a new host', async () => {
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n', 'more.txt': 'x' });
    await upstream.tag('v1', ann);
    await aHostThat('require');
  });

  it('a tag in a folder that has the name of an earlier tag', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit({ 'config.yaml': 'max_docks: 5\n' });
    await upstream.tag('prod', ann);
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 5 } } });
    await upstream.git('tag', '--delete', 'prod');
    await upstream.commit(next);
    await upstream.tag('prod/x', ann);
    await takesNext(keeper, /, in the tag prod\/x$/);
  });

  it('a signed tag among many that nobody signed, and one object under two names', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next);
    await upstream.tag('m', ann);
    await upstream.git('update-ref', 'refs/tags/n', 'refs/tags/m');
    for (let index = 0; index < 15; index += 1) {
      await upstream.git('tag', '--annotate', '--message', 'junk', `a${index}`);
      await upstream.git('tag', '--annotate', '--message', 'junk', `z${index}`);
    }
    await takesNext(keeper, /, in the tag m$/);
  });

  it('a tag without cutting the history of a full clone short', async () => {
    await trust('require', [ann.publicFile]);
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n' }, { signer: ann });
    await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    const keeper = await aKeeper();
    await keeper.start();
    await upstream.commit(next);
    await upstream.tag('v2', ann);
    await takesNext(keeper, /, in the tag v2$/);
    expect(await git(confDir, 'rev-list', '--count', 'HEAD')).toBe('4');
  });

  it('a signed commit although its tags cannot be fetched, and says so of one that is not signed', async () => {
    const keeper = await aHostThat('require');
    const damageTag = async (name: string) => {
      await upstream.tag(name, ann);
      const object = await upstream.git('rev-parse', `refs/tags/${name}`);
      // What the tag points at is written down beside it from here on.
      await upstream.git('pack-refs', '--all');
      const file = join(upstream.path, '.git', 'objects', object.slice(0, 2), object.slice(2));
      await rm(file);
      await writeFile(file, 'rubbish');
    };
    await upstream.commit(next);
    await damageTag('v2');
    expect(await refusalOf(keeper)).toMatch(/it is not signed; .*; its tags could not be fetched \(.+\)/);
    await upstream.git('update-ref', '-d', 'refs/tags/v2');
    await upstream.commit(next, { signer: ann });
    await damageTag('v3');
    await takesNext(keeper, /^ann@site\.org \(SHA256:/);
  });

  it('a key that is written in the policy itself, and a whole file of allowed signers', async () => {
    const written = (await readFile(ann.publicFile, 'utf8')).trim();
    const keeper = await aHostThat('require', [written]);
    const allowed = join(temp.path, 'allowed_signers');
    const other = (await readFile(stranger.publicFile, 'utf8')).split(' ');
    await writeFile(allowed, `# who may\nsid@site.org namespaces="git" ${other[0] ?? ''} ${other[1] ?? ''}\n`, {
      mode: 0o644,
    });
    await trust('require', [written, allowed]);
    await upstream.commit(next, { signer: stranger });
    await takesNext(keeper, /^sid@site\.org \(SHA256:/);
  });
});

describe('a host that requires signatures refuses', () => {
  it('a commit without one, or by an unknown, expired or revoked key, until there is one by a good key', async () => {
    const keeper = await aHostThat('require');
    const told: string[] = [];
    for (const signer of [undefined, stranger, unknownGpg, expiredGpg, revokedGpg]) {
      await upstream.commit(next, signer && { signer });
      told.push(await refusalOf(keeper));
    }
    expect(told).toEqual([
      expect.stringMatching(/requires signatures .*: it is not signed; sign the commit/),
      expect.stringMatching(/by a key that this host does not know; add that key to config_keys/),
      expect.stringMatching(/by a key that this host does not know; add that key to config_keys/),
      expect.stringMatching(/the key that signed it has expired; renew it/),
      expect.stringMatching(/the key that signed it was revoked; sign it with another one/),
    ]);
    await upstream.commit(next, { signer: ann });
    await takesNext(keeper, /^ann/);
  });

  it('one by a key that may sign other things than commits', async () => {
    const keeper = await aHostThat('require');
    const [type = '', blob = ''] = (await readFile(stranger.publicFile, 'utf8')).split(' ');
    await trust('require', [ann.publicFile, `sid@site.org namespaces="file" ${type} ${blob}`]);
    await upstream.commit(next, { signer: stranger });
    expect(await refusalOf(keeper)).toMatch(/may not sign for git/);
  });

  it('a commit under a tag that a stranger signed', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next);
    await upstream.tag('v2', stranger);
    expect(await refusalOf(keeper)).toMatch(
      /the tag v2 does not vouch for it: it is signed by a key that this host does/,
    );
  });

  it.each(['ssh', 'gpg'])('a commit that was changed after it was signed (%s)', async (kind) => {
    const keeper = await aHostThat('require');
    const signed = await upstream.commit(next, { signer: kind === 'ssh' ? ann : gpg });
    const text = await upstream.git('cat-file', 'commit', signed);
    const forged = join(temp.path, 'forged');
    await writeFile(forged, `${text.replace(/^committer Ann/m, 'committer Eve')}\n`);
    const commit = await upstream.git('hash-object', '-t', 'commit', '-w', forged);
    await upstream.git('reset', '--quiet', '--hard', commit);
    expect(await refusalOf(keeper)).toMatch(/was changed after it was signed/);
  });

  it.each(['shallow', 'full'])('an older commit with a good signature, served again (%s clone)', async (kind) => {
    const old = await upstream.commit(
      { 'config.yaml': 'max_docks: 7\n' },
      { signer: ann, date: '2026-01-01T00:00:00Z' },
    );
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n' }, { signer: ann, date: '2026-01-02T00:00:00Z' });
    await trust('require', [ann.publicFile]);
    if (kind === 'shallow') await clone();
    else await git(temp.path, 'clone', '--quiet', upstream.path, confDir);
    const keeper = await aKeeper();
    await keeper.start();
    await upstream.git('reset', '--quiet', '--hard', old);
    expect(await refusalOf(keeper)).toMatch(/is older than the revision in force .*2026-01-01T00:00:00Z/);
  });

  it('a commit from the future, after which every other one would be older', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next, { signer: ann, date: '2099-01-01T00:00:00Z' });
    expect(await refusalOf(keeper)).toMatch(/is in the future: set the clocks/);
  });

  it('files edited by hand, and goes on with what was signed', async () => {
    const keeper = await aHostThat('require');
    const head = await git(confDir, 'rev-parse', 'HEAD');
    await writeFile(join(confDir, 'config.yaml'), 'max_docks: 9\n');
    expect(await keeper.refresh()).toMatchObject({ type: 'refused', refused: { revisionId: `${head}+local` } });
    expect(keeper.state.refused?.problems.join()).toMatch(/edited by hand, and these nobody signed; .*reset --hard/);
    expect(keeper.state.inForce?.config.max_docks).toBe(1);
    const restarted = await aKeeper();
    expect(await restarted.start()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 1 } } });
  });

  it('to start with what nobody signed, and with a folder without git', async () => {
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n' });
    await trust('require', [ann.publicFile]);
    await clone();
    const keeper = await aKeeper();
    expect(await keeper.start()).toMatchObject({ type: 'refused' });
    expect(keeper.state).toMatchObject({
      inForce: undefined,
      refused: { problems: [expect.stringMatching(/not signed/)] },
    });
    confDir = join(temp.path, 'plain');
    await mkdir(confDir);
    await copyFile(join(upstream.path, 'config.yaml'), join(confDir, 'config.yaml'));
    const plain = await aKeeper();
    expect(await plain.start()).toMatchObject({ type: 'refused' });
    expect(plain.state.refused?.problems.join()).toMatch(/a plain folder, which nobody can sign/);
  });

  it('everything new while its keys or its policy cannot be read', async () => {
    const keeper = await aHostThat('require');
    await upstream.commit(next, { signer: ann });
    await trust('require', [join(temp.path, 'gone')]);
    expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
    expect(keeper.state.refused?.problems.join()).toMatch(/the file of keys .*gone cannot be read \(ENOENT\)/);
    await appendFile(policyFile, '}');
    expect(await refusalOf(keeper)).toMatch(/the policy of this host is not valid/);
    await trust('require', [ann.publicFile]);
    await takesNext(keeper, /^ann/);
  });
});

describe('a host that lost its policy', () => {
  it.each(['missing', 'broken'])(
    'takes nothing new, and starts nothing that nobody signed once it is back (%s)',
    async (how) => {
      await aHostThat('require');
      if (how === 'missing') await rm(policyFile);
      else await writeFile(policyFile, 'config_signatures: [');
      const keeper = await aKeeper();
      await keeper.start();
      await upstream.commit(next);
      expect(await refusalOf(keeper)).toMatch(/it cannot be told whether it may, since .*policy/);

      // Root may put it there all the same.
      await git(confDir, 'fetch', '--quiet', 'origin');
      await git(confDir, 'reset', '--quiet', '--hard', 'FETCH_HEAD');
      expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 2 } } });
      expect(await keeper.distrust()).toBeUndefined();

      await trust('require', [ann.publicFile]);
      expect(await keeper.distrust()).toMatch(/has not been checked yet against the policy as it is now/);
      expect(await keeper.refresh()).toMatchObject({ type: 'refused' });
      expect(await keeper.distrust()).toMatch(/is in force, but this host requires signatures .*: it is not signed/);

      await upstream.commit({ 'config.yaml': 'max_docks: 3\n' }, { signer: ann });
      expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 3 } } });
      expect(await keeper.distrust()).toBeUndefined();
    },
  );
});

describe('a host that only warns', () => {
  it('takes everything and says what is wrong with it', async () => {
    const keeper = await aHostThat('warn');
    expect(keeper.state.inForce?.warnings).toEqual([]);
    await upstream.commit(next);
    expect(await keeper.refresh()).toMatchObject({
      type: 'accepted',
      inForce: { config: { max_docks: 2 }, warnings: [expect.stringMatching(/^it is not signed/)] },
    });
    expect(await keeper.refresh()).toEqual({ type: 'unchanged' });
  });
});

describe('a host that does not ask', () => {
  it('takes an older commit as readily as an unsigned one, and says nothing of signatures', async () => {
    const old = await upstream.commit(next, { date: '2026-01-01T00:00:00Z' });
    await upstream.commit({ 'config.yaml': 'max_docks: 1\n' });
    const keeper = await aHostThat('off');
    expect(keeper.state.inForce && source.signature?.(keeper.state.inForce.revision)).toBeUndefined();
    await upstream.git('reset', '--quiet', '--hard', old);
    expect(await keeper.refresh()).toMatchObject({ type: 'accepted', inForce: { config: { max_docks: 2 } } });
  });
});
