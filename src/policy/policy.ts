import type * as z from 'zod';
import { networkName, securityOption } from '../config/container-values.js';
import { fewestPids, key, maxPilots, mostPids, type Key } from '../config/schema.js';
import { amount, count, duration, fileOrNone, flag, listOf, neverOr, size } from '../config/value-type.js';
import {
  allowedBind,
  allowedCapability,
  allowedDevice,
  allowedImage,
  allowedUser,
  configKey,
  signatureMode,
} from './allowed-values.js';

const day = 86_400;
const year = 365 * day;
/** No cap. */
export const manyCpus = 4096;
/** No cap. */
export const mostSwap = 2 ** 50;

/** No pilot needs more, and a host has room for more. */
export const usualMostPids = 32_768;

/** All that the host's owner can say about pilots and their configuration, in the order in which people read it. What is not said is not allowed, or not capped. */
export const policyKeys = {
  images: key(
    listOf(allowedImage()),
    [],
    '',
    'Images of pilots. A name allows all its tags; name/* all below a name, * everything.',
  ),
  require_digest: key(flag(), false, '', 'Allow images by digest only, so that nobody can move a tag.'),
  users: key(listOf(allowedUser()), ['1-65535'], '', 'Users inside pilots; root needs to be named, as 0:0.'),
  privileged: key(flag(), false, '', 'Allow privileged pilots, which own the whole host.'),
  binds: key(
    listOf(allowedBind()),
    [],
    '',
    'Folders and files of the host that pilots may see, with all below; with rw only as a whole, and they may write.',
  ),
  devices: key(listOf(allowedDevice()), [], '', 'Devices of the host that pilots may use.'),
  capabilities: key(
    listOf(allowedCapability()),
    [],
    '',
    'Linux capabilities that may be added to those of any container.',
  ),
  security_opts: key(
    listOf(securityOption()),
    [],
    '',
    'Security options that pilots may be given; no-new-privileges needs no permission.',
  ),
  networks: key(
    listOf(networkName()),
    ['bridge', 'none'],
    '',
    'Networks of pilots; host shares the network of the host.',
  ),
  most_docks: key(count(0, maxPilots), maxPilots, 'pilots', 'Caps max_docks.'),
  most_docks_per_loop: key(count(0, maxPilots), maxPilots, 'pilots', 'Caps docks_per_loop.'),
  most_cpus: key(amount(0.1, manyCpus), manyCpus, 'CPUs', 'Caps cpus where it is a number; auto means what is online.'),
  most_cpus_per_dock: key(amount(0.01, manyCpus), manyCpus, 'CPUs', 'Caps cpus_per_dock.'),
  most_dock_mem: key(size(0, 2 ** 50), 0, 'bytes', 'Caps max_dock_mem; 0 means no cap.'),
  most_dock_swap: key(size(0, mostSwap), mostSwap, 'bytes', 'Caps max_dock_swap.'),
  most_dock_pids: key(count(fewestPids, mostPids), usualMostPids, 'processes', 'Caps max_dock_pids.'),
  most_ttl: key(duration(1, year), year, 'seconds', 'Caps max_ttl.'),
  most_stop_timeout: key(
    duration(0, 3600),
    3600,
    'seconds',
    'Caps stop_timeout, which pilots may take on top of max_ttl.',
  ),
  least_main_sleep: key(duration(1, 3600), 1, 'seconds', 'main_sleep is at least this.'),
  least_updateconfig: key(duration(1, 86_400), 1, 'seconds', 'updateconfig and git_interval are at least this.'),
  require_yielding: key(
    flag(),
    false,
    '',
    'Pilots must make room for others: no evict never, nice false, policy legacy, own_cgroups; see most_cpus, most_cpu_slack too.',
  ),
  least_cpu_headroom: key(amount(0, manyCpus), 0, 'CPUs', 'cpu_headroom is at least this.'),
  most_cpu_slack: key(amount(0, manyCpus), manyCpus, 'CPUs', 'Caps cpu_slack where it is a number.'),
  most_evict_margin: key(amount(0, manyCpus), manyCpus, 'CPUs', 'Caps evict_margin.'),
  most_start_cost: key(amount(0, 3600), 3600, 'CPU seconds', 'Caps start_cost, which is taken for no use by others.'),
  most_grace_kill: key(duration(0, day), day, 'seconds', 'Caps grace_kill.'),
  most_freeze_max: key(duration(1, day), day, 'seconds', 'Caps freeze_max.'),
  least_grace_spawn: key(duration(0, day), 0, 'seconds', 'grace_spawn is at least this.'),
  least_foreign_window: key(duration(0, day), 0, 'seconds', 'foreign_window is at least this.'),
  least_min_free_mem: key(size(0, 2 ** 50), 0, 'bytes', 'min_free_mem is at least this.'),
  least_min_free_disk: key(size(0, 2 ** 60), 0, 'bytes', 'min_free_disk is at least this.'),
  least_fizzle_seconds: key(duration(0, day), 0, 'seconds', 'fizzle_seconds is at least this.'),
  least_backoff: key(duration(1, day), 1, 'seconds', 'backoff_seconds and backoff_max are at least this.'),
  least_image_expiration: key(duration(60, year), 60, 'seconds', 'image_expiration is at least this.'),
  most_image_keep: key(neverOr(duration(0, year)), 'never', 'seconds', 'Caps image_keep.'),
  most_journal_size: key(size(0, 2 ** 40), 2 ** 40, 'bytes', 'Caps journal_size.'),
  most_post_mortem_size: key(size(0, 2 ** 40), 2 ** 40, 'bytes', 'Caps post_mortem_size.'),
  most_journal_age: key(duration(60, year), year, 'seconds', 'Caps journal_age.'),
  local_http: key(flag(), false, '', 'Whether the daemon may answer all users of this host by HTTP (http_address).'),
  http_token_file: key(
    fileOrNone(),
    'none',
    '',
    'Holds the token, readable by root alone, with which users of this host may drain and resume by HTTP.',
  ),
  config_signatures: key(
    signatureMode(),
    'off',
    '',
    'Whether revisions of the configuration must be signed by one of config_keys, and not be older than the one in force.',
  ),
  config_keys: key(listOf(configKey()), [], '', 'Keys that sign configurations.'),
} satisfies Record<string, Key>;

export type PolicyKey = keyof typeof policyKeys;

/** What the owner of this host allows pilots, whatever their configuration asks for. Seconds, bytes. */
export type Policy = { readonly [Name in PolicyKey]: z.output<(typeof policyKeys)[Name]['schema']> };
