import type { Key } from '../../src/config/schema.js';
import type { Dice } from './dice.js';

/** Values as people write them, of every kind that some key takes, and some that none does. */
const VALUES: readonly unknown[] = [
  0, 1, 2, 5, 10, 24, 30, 60, 100, 300, 1000, 3600, 65_535, 1e6, 5e8, 1e9, 2e9, 0.08, 0.1, 0.5, 1.5, 3.25, -1, 1e15,
  '90s', '15m', '12h', '2d', '1h30m', '500M', '2G', '2Gi', '64MiB', '1T', '10', '1.5', 'auto', 'never', 'always', 'inf',
  true, false, null, '', 'yes', 'ncpus - 2', 'max(1, ncpus // 2)', 'ram_bytes / 2000000000', 'ncpus if ncpus > 4 else 1', '1/0', '9**9**9',
  'capacity', 'legacy', 'doubling', 'fixed', 'systeminformation', ['stop'], ['freeze', 'stop'], 'warn', 'require', 'off',
  'busybox', 'busybox:1', 'reg.org:5000/a/b:1', `x/y@sha256:${'a'.repeat(64)}`, 'UPPER/case', 'localhost/x', 'a b', 'reg.org/a/*', '*',
  ['busybox'], ['reg.org:5000/a/*', 'busybox'], ['busybox:1', `x/y@sha256:${'b'.repeat(64)}`],
  '0:0', 'root', '1000:1000', '1000', 'alice:users', ['0:0'], ['1-65535', 'alice:users'], ['1000:1000'],
  'ro,rslave', 'rw', 'ro', [], ['/cvmfs:/cvmfs'], ['/data/x:/x:ro', '/srv/a:/a:rw,shared'], ['/etc:/e'], ['/cvmfs', '/data:rw'], ['../x:/y'],
  ['/dev/fuse'], ['/dev/fuse:/dev/fuse:rwm'], ['/dev/fuse:rw'], ['SYS_ADMIN'], ['-ALL', '+CAP_NET_ADMIN'], ['ALL'], ['-NET_RAW'],
  ['no-new-privileges'], ['seccomp:unconfined'], ['apparmor:docker-cvmfs', 'no-new-privileges'], ['label=disable'],
  'bridge', 'host', 'none', 'container:x', ['bridge', 'none'], ['host'], 'sleep 60', ['sh', '-c', 'exit 1'], "sh -c 'a b'", '"unclosed',
  { A: 'b' }, { A: 1, PATH: '/bin' }, ['A=b'], { '': 'x' }, 'http://user:pw@influx.example:8086#db', ['http://a/b', 'https://c/#d'],
  '/system.slice/cvmfs.service', ['/system.slice/cvmfs.service'], '2G; rm -rf /',
]; // prettier-ignore

const NO_KEYS = ['__proto__', 'constructor', 'toString', 'max_dock', 'docker_imag', '', 'a: b', 'binds[0]'];

/** For each key, what it takes and what it does not, as its own schema sees it. */
export interface WrittenKeys {
  /** Keys with values: most good for their keys; `wrong` = how probable one that is not is. */
  pick(dice: Dice, options: { readonly keys: number; readonly wrong: number }): Readonly<Record<string, unknown>>;
}

export function writtenKeys(table: Readonly<Record<string, Key>>): WrittenKeys {
  const values = Object.entries(table).map(([name, key]) => ({
    name,
    right: VALUES.filter((value) => key.schema.safeParse(value).success),
  }));
  return {
    pick: (dice, { keys, wrong }) => {
      const written: [string, unknown][] = dice
        .some(values, keys)
        .filter(({ right }) => right.length > 0)
        .map(({ name, right }) => [name, dice.pick(dice.chance(wrong) ? VALUES : right)]);
      if (dice.chance(wrong)) written.push([dice.pick(NO_KEYS), dice.pick(VALUES)]);
      return Object.fromEntries(written);
    },
  };
}

/** As people write YAML: blocks, lists in one line or in many, quotes where somebody thought of them. */
export function toYaml(written: Readonly<Record<string, unknown>>, dice: Dice): string {
  if (dice.chance(0.1)) return JSON.stringify(written);
  const lines = Object.entries(written).map(([name, value]) => {
    if (Array.isArray(value) && value.length > 0 && dice.chance(0.5)) {
      return `${name}:\n${value.map((entry) => `  - ${JSON.stringify(entry)}`).join('\n')}`;
    }
    return `${name}: ${JSON.stringify(value)}${dice.chance(0.1) ? ' # as agreed' : ''}`;
  });
  return `${lines.join('\n')}\n`;
}
