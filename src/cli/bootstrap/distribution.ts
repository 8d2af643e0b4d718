import { readFileSync } from 'node:fs';

export type Package = 'git' | 'engine' | 'cron';

interface Distribution {
  /** Values of ID or ID_LIKE. */
  readonly ids: readonly string[];
  /** Programs and arguments that install packages; their names are added. */
  readonly install: readonly string[];
  readonly packages: Readonly<Record<Package, readonly string[]>>;
  /** What else it takes until a fresh engine runs. */
  readonly afterEngine?: readonly string[];
}

const startEngine = ['systemctl', 'enable', '--now', 'docker'];

/** The first match counts, so the special comes before the general: Fedora has moby-engine, its relatives do not. */
const distributions: readonly Distribution[] = [
  {
    ids: ['debian', 'ubuntu'],
    install: ['apt-get', 'install', '--yes', '--no-install-recommends'],
    packages: { git: ['git'], engine: ['docker.io', 'iptables'], cron: ['cron'] },
  },
  {
    ids: ['fedora'],
    install: ['dnf', 'install', '--assumeyes'],
    packages: { git: ['git'], engine: ['moby-engine'], cron: ['cronie'] },
    afterEngine: startEngine,
  },
  {
    ids: ['rhel', 'centos', 'rocky', 'almalinux'],
    install: ['dnf', 'install', '--assumeyes'],
    packages: { git: ['git'], engine: ['podman-docker'], cron: ['cronie'] },
    afterEngine: ['systemctl', 'enable', '--now', 'podman.socket'],
  },
  {
    ids: ['suse', 'opensuse'],
    install: ['zypper', '--non-interactive', 'install'],
    packages: { git: ['git'], engine: ['docker'], cron: ['cronie'] },
    afterEngine: startEngine,
  },
  {
    ids: ['arch'],
    install: ['pacman', '-S', '--noconfirm'],
    packages: { git: ['git'], engine: ['docker'], cron: ['cronie'] },
    afterEngine: startEngine,
  },
  {
    ids: ['alpine'],
    install: ['apk', 'add'],
    packages: { git: ['git'], engine: ['docker'], cron: [] },
    afterEngine: ['service', 'docker', 'start'],
  },
];

function value(text: string, key: string): string {
  return new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(text)?.[1] ?? '';
}

/** The commands that install something on the distribution that an os-release text describes; empty = we do not know. */
export function installCommands(osRelease: string, wanted: Package): readonly (readonly string[])[] {
  // The own ID first: Rocky's ID_LIKE names Fedora too, but its packages are those of RHEL.
  for (const id of `${value(osRelease, 'ID')} ${value(osRelease, 'ID_LIKE')}`.split(/\s+/)) {
    const known = distributions.find(({ ids }) => ids.includes(id));
    if (known === undefined) continue;
    const install = [...known.install, ...known.packages[wanted]];
    return wanted === 'engine' && known.afterEngine !== undefined ? [install, known.afterEngine] : [install];
  }
  return [];
}

/** The os-release text of this host; empty where it has none. */
export function readOsRelease(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** How a person would type it. */
export function installHint(osRelease: string, wanted: Package): string {
  const names = { git: 'git', engine: 'Docker Engine 20.10 or newer', cron: 'cron' };
  const commands = installCommands(osRelease, wanted).map((words) => words.join(' '));
  return commands.length === 0 ? `install ${names[wanted]}` : `install it with: ${commands.join(' && ')}`;
}
