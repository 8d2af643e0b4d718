import { settingsFile } from './git-settings.js';

/** Environment variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

// What the site may say. The rest of git's variables could change what our fixed arguments mean.
const SITE_GIT = ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'GIT_SSL_CERT', 'GIT_SSL_KEY', 'GIT_SSL_NO_VERIFY'];
const SITE_SSH = ['GIT_SSH_COMMAND', 'GIT_SSH', 'GIT_SSH_VARIANT'];
const SITE_PLAIN = ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'];
const SITE_PROXY = ['HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'];

/** Settings that must win over those of the clone, so that nothing in it runs as us. */
export const FIXED_CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'filter.lfs.smudge=',
  'filter.lfs.process=',
  'filter.lfs.required=false',
  'submodule.recurse=false',
  'gc.autoDetach=false',
  'maintenance.auto=false',
  'advice.detachedHead=false',
];

/** The environment git gets: proxies, certificates and ssh as the site says, everything else as we say. */
export function gitEnvironment(settingsFolder: string, site: Environment): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...SITE_PLAIN, ...SITE_PROXY, ...SITE_GIT, ...SITE_SSH]) {
    const value = site[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...ownEnvironment(settingsFolder) };
}

function ownEnvironment(settingsFolder: string): Record<string, string> {
  return {
    // Messages are read below.
    LC_ALL: 'C.UTF-8',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: settingsFile(settingsFolder),
    GIT_ALLOW_PROTOCOL: 'https:http:ssh:git:file',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_OPTIONAL_LOCKS: '0',
  };
}
