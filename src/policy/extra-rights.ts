import type { Config } from '../config/schema.js';
import { loadPolicy } from './load-policy.js';
import { plainOption, refusedWishes, wishesOf } from './narrow.js';
import { neededPolicy, renderPolicyFile } from './needed-policy.js';

/** What a configuration would take away by itself, and another one does not. */
function notGivenUp(than: Config, config: Config): readonly string[] {
  const dropped = than.capabilities.filter((name) => name.startsWith('-') && !config.capabilities.includes(name));
  const [ours, theirs] = [config, than].map(({ security_opts: options }) =>
    options.map(plainOption).some((option) => /^no-new-privileges(=true)?$/.test(option)),
  );
  return [
    ...dropped.map((name) => `capabilities without ${name}`),
    ...(theirs === true && ours === false ? ['security_opts without no-new-privileges'] : []),
  ];
}

/** Numbers that are lowered against pilots; memory is not among them, since too little of it is what going back may mend. */
const AGAINST_PILOTS = ['max_ttl', 'stop_timeout', 'max_dock_pids', 'cpus_per_dock'] as const;
/** Numbers that are raised for the owner of the host. */
const FOR_THE_OWNER = ['cpu_headroom', 'min_free_mem', 'min_free_disk'] as const;

/** What the owner of the host would have by himself, and another configuration takes from him. */
function takenFromOwner(than: Config, config: Config): readonly string[] {
  return [
    ...FOR_THE_OWNER.filter((name) => config[name] < than[name]).map((name) => `${name} ${config[name]}`),
    ...(config.evict === 'never' && than.evict === 'always' ? ['evict never'] : []),
    ...(!config.nice && than.nice ? ['nice false'] : []),
  ];
}

/**
 * What pilots get of a host by a configuration and not by another one, `than`; key and value of each. Which image they are made from counts for
 * nothing: a new one is what fails most often, and going back to the old one what helps.
 */
export function extraRights(than: Config, config: Config): readonly string[] {
  const verdict = loadPolicy({ file: 'policy', text: renderPolicyFile(neededPolicy(than)) });
  if (!verdict.ok) return ['rights that cannot be compared'];
  const isNew = (bind: string) => config.bind_options !== than.bind_options || !than.binds.includes(bind);
  const wishes = { ...wishesOf(config), image: than.docker_image, binds: config.binds.filter(isNew) };
  const refused = refusedWishes(wishes, verdict.policy, { hidden: [], readOnly: [] });
  const raised = AGAINST_PILOTS.filter((name) => config[name] > than[name]).map((name) => `${name} ${config[name]}`);
  const named = refused.map((text) => text.split(': ', 1).join(''));
  return [...named, ...notGivenUp(than, config), ...raised, ...takenFromOwner(than, config)];
}
