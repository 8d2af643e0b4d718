import { parseImageReference } from '../config/image-reference.js';
import { commentLines, renderValue } from '../config/render.js';
import type { Key, Config } from '../config/schema.js';
import { parseBind, writtenNeeds } from './match-bind.js';
import { addedCapability, plainOption } from './narrow.js';
import { policyKeys, type Policy, type PolicyKey } from './policy.js';

/** A policy as it is written in its file. */
export type WrittenPolicy = Readonly<Partial<Record<PolicyKey, unknown>>>;

const header = `# What pilots may have on this host. Plancton's configuration can ask for less and never for more, whoever writes it.
# Belongs to root; nobody else may be able to write it. Check a change with: planctonctl policy check
`;

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

/** The narrowest policy under which a configuration works as it is, with any tag of its image. */
export function neededPolicy(config: Config): WrittenPolicy {
  const image = parseImageReference(config.docker_image);
  const options = config.security_opts.map(plainOption);
  return {
    images: [image?.name ?? config.docker_image],
    users: [config.user_group],
    privileged: config.docker_privileged,
    binds: unique(config.binds.map((bind) => writtenNeeds(parseBind(bind, config.bind_options)))),
    devices: unique(config.devices.map(({ hostPath, permissions }) => `${hostPath}:${permissions}`)),
    capabilities: unique(config.capabilities.flatMap((name) => addedCapability(name) ?? [])),
    security_opts: unique(options.filter((option) => !option.startsWith('no-new-privileges'))),
    networks: [config.network],
    local_http: config.http_address !== 'none',
  };
}

/** A policy in the words of its file. */
export function writtenPolicy(policy: Policy): Required<WrittenPolicy> {
  return {
    ...policy,
    users: policy.users.map((entry) => ('exactly' in entry ? entry.exactly : `${entry.least}-${entry.most}`)),
    binds: policy.binds.map(({ path, options }) => (options.length === 0 ? path : `${path}:${options.join(',')}`)),
    devices: policy.devices.map(({ path, permissions }) => `${path}:${permissions}`),
  };
}

/** The text of a policy file; every key is there, with what it takes. */
export function renderPolicyFile(policy: WrittenPolicy): string {
  const blocks = Object.entries<Key>(policyKeys).map(([name, key]) => {
    const value = Object.hasOwn(policy, name) ? policy[name as PolicyKey] : key.fallback;
    const about = `${commentLines(key.about)}\n${commentLines(`Takes ${key.accepted}.`)}`;
    return `${about}\n${name}: ${renderValue(value, key.unit)}\n`;
  });
  return [header, ...blocks].join('\n');
}
