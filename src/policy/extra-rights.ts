import type { Config } from '../config/schema.js';
import { numbersBeyond, type NumberName } from './bounds.js';
import { loadPolicy } from './load-policy.js';
import { plainOption, refusedWishes, rudenessOf, wishesOf } from './narrow.js';
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

/**
 * Numbers that give pilots nothing which the owner of the host would miss: how many there are and how fast they come, what is kept of them, and how
 * often others are asked. Nor does memory, since too little of it is what going back may mend.
 */
const MAY_COME_BACK: readonly NumberName[] = [
  ...(['max_docks', 'docks_per_loop', 'max_dock_mem'] as const),
  ...(['fizzle_seconds', 'backoff_seconds', 'backoff_max'] as const),
  ...(['main_sleep', 'updateconfig', 'git_interval', 'image_expiration'] as const),
  ...(['image_keep', 'journal_size', 'journal_age', 'post_mortem_size'] as const),
];

/** What the owner of the host would have by himself, and another configuration takes from him. */
function takenFromOwner(than: Config, config: Config): readonly string[] {
  const known = rudenessOf(than);
  const numbers = numbersBeyond(than, config).filter((name) => !MAY_COME_BACK.includes(name));
  return [
    ...numbers.map((name) => `${name} ${config[name]}`),
    ...rudenessOf(config).filter((what) => !known.includes(what)),
    ...(config.http_address !== 'none' && than.http_address === 'none' ? [`http_address ${config.http_address}`] : []),
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
  const named = refused.map((text) => text.split(': ', 1).join(''));
  return [...named, ...notGivenUp(than, config), ...takenFromOwner(than, config)];
}
