import type { KeyName } from './schema.js';

/** A key of an older version: the key that has taken its place, or why it has no effect. */
export type LegacyKey = { readonly now: KeyName } | { readonly ignored: string };

const readElsewhere = 'what pilots need is given by binds and docker_env';

/** Keys that older versions of Plancton and their configurations used. */
export const legacyKeys: Readonly<Record<string, LegacyKey>> = {
  influxdb_address: { now: 'influxdb_url' },
  rigidity: { now: 'grace_kill' },
  morbidity: { now: 'main_sleep' },
  pilot_dock: { now: 'docker_image' },
  pilot_entrypoint: { now: 'docker_cmd' },
  pilot_privileged: { now: 'docker_privileged' },
  secopt: { now: 'security_opts' },
  cputhresh: { ignored: 'the threshold follows from the CPUs of the host; see cpu_headroom and evict_margin' },
  dock_condor_conf: { ignored: readElsewhere },
  parrot_wrapper_path: { ignored: readElsewhere },
  local_configs: { ignored: readElsewhere },
  elasticsearch_conf: { ignored: 'measurements go to influxdb_url' },
  sandbox: { ignored: 'pilots write inside their container, or to what binds names' },
};
