import { settingsFile } from './git-settings.js';
import { allowedSignersFile, gnupgFolder } from './git-keys.js';

/** Environment variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

// What the site may say. The rest of git's variables could change what our fixed arguments mean.
const SITE_GIT = ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'GIT_SSL_CERT', 'GIT_SSL_KEY', 'GIT_SSL_NO_VERIFY'];
const SITE_SSH = ['GIT_SSH_COMMAND', 'GIT_SSH', 'GIT_SSH_VARIANT'];
const SITE_PLAIN = ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];
const SITE_PROXY = ['HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'];

// Settings that must win over those of the clone: nothing in it runs as us, and a server brings us nowhere else.
const FIXED_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.attributesFile=/dev/null',
  // Weaker than GIT_SSH_COMMAND.
  'core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15',
  'filter.lfs.smudge=',
  'filter.lfs.process=',
  'filter.lfs.required=false',
  'submodule.recurse=false',
  'http.followRedirects=false',
  'http.lowSpeedLimit=100',
  'http.lowSpeedTime=30',
  'transfer.fsckObjects=true',
  'transfer.bundleURI=false',
  // One file for all that comes, so that the limit on files is one on what comes.
  'fetch.unpackLimit=1',
  'pack.packSizeLimit=64m',
  // Threads reserve memory, one set per core, which would not fit into the limit on it; these repositories need none.
  'pack.threads=1',
  'index.threads=1',
  'core.preloadIndex=false',
  'core.packedGitLimit=256m',
  'gc.autoDetach=false',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  'gpg.program=gpg',
  'gpg.openpgp.program=gpg',
  'gpg.ssh.program=ssh-keygen',
  // No keys of this kind can be named.
  'gpg.x509.program=/bin/false',
];

/** What every fetch is told: nothing comes along that was not asked for, and no program of the clone's choice runs. */
export const FETCH_OPTIONS = [
  '--quiet',
  '--no-tags',
  '--no-recurse-submodules',
  '--no-auto-gc',
  '--no-write-fetch-head',
  '--upload-pack=git-upload-pack',
  '--refmap=',
];

/** The settings given with every command; `folder` holds git's settings. */
export function fixedConfig(folder: string): string[] {
  return [...FIXED_CONFIG, `gpg.ssh.allowedSignersFile=${allowedSignersFile(folder)}`];
}

/**
 * The environment git gets: proxies, certificates and ssh as the site says, everything else as we say. `protocol`: the only one git may
 * speak; undefined: none.
 */
export function gitEnvironment(
  folder: string,
  site: Environment,
  protocol: string | undefined,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...SITE_PLAIN, ...SITE_PROXY, ...SITE_GIT, ...SITE_SSH]) {
    const value = site[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...ownEnvironment(folder), GIT_ALLOW_PROTOCOL: protocol ?? 'none' };
}

function ownEnvironment(folder: string): Record<string, string> {
  return {
    // Messages are read below.
    LC_ALL: 'C.UTF-8',
    // A service may have no other place to write.
    TMPDIR: folder,
    GNUPGHOME: gnupgFolder(folder),
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: settingsFile(folder),
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    // Set and empty, it wins over core.gitProxy of the clone.
    GIT_PROXY_COMMAND: '',
    GIT_OPTIONAL_LOCKS: '0',
  };
}
