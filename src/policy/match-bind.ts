import { plainPath, type AllowedBind } from './allowed-values.js';

/** Who holds one of these holds the host: never shown to a pilot, nor anything above it. */
const neverShown = [
  '/etc',
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/run',
  '/var/lib/docker',
  '/var/lib/containerd',
  '/boot',
  '/root',
];
/** Of these not even a part. */
const neverInPart = [
  ...neverShown.filter((path) => path !== '/etc'),
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/sudoers',
  '/etc/sudoers.d',
  '/etc/ssh',
  '/etc/ssl/private',
];
/** What the host runs, and how: a pilot that may write there is root. */
const neverWritten = [
  ...['/etc', '/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'],
  ...['/var/spool/cron', '/var/spool/at', '/var/lib/systemd'],
];

/** Files and folders of our own and of the engine; absolute, plain. */
export interface OwnPlaces {
  /** Pilots never get them, nor anything above or below. */
  readonly hidden: readonly string[];
  /** Pilots may read them, where the policy says so. */
  readonly readOnly: readonly string[];
}

/** A bind of a configuration, `source:target[:options]`, taken apart. */
export interface Bind {
  readonly source: string;
  readonly options: readonly string[];
}

/** `usual`: the options of binds that name none. */
export function parseBind(bind: string, usual: string): Bind {
  const [source = '', , options = usual] = bind.split(':');
  return { source: plainPath(source), options: options.split(',') };
}

/** Whether `path` is `top` or below it. */
function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(top === '/' ? '/' : `${top}/`);
}

/** What one bind may do beyond reading. */
function needs({ options }: Bind): readonly string[] {
  const beyond = options.filter((option) => ['shared', 'rshared', 'z', 'Z'].includes(option));
  return options.includes('ro') ? beyond : ['rw', ...beyond];
}

/** The entry of a policy that allows exactly this bind. */
export function writtenNeeds(bind: Bind): string {
  const needed = needs(bind);
  return needed.length === 0 ? bind.source : `${bind.source}:${needed.join(',')}`;
}

/** Why a bind is refused whatever the policy says; undefined: it depends on the policy. */
export function alwaysRefused(bind: Bind, own: OwnPlaces): string | undefined {
  const { source } = bind;
  const above = [...neverShown, ...own.hidden].find((path) => isWithin(path, source));
  if (above !== undefined)
    return `pilots never get ${above === source ? source : `${source}, since ${above} is in it`}`;
  const part = [...neverInPart, ...own.hidden].find((path) => isWithin(source, path));
  if (part !== undefined) return `pilots never get anything of ${part}`;
  const written = [...neverWritten, ...own.readOnly].find((path) => isWithin(source, path) || isWithin(path, source));
  if (written !== undefined && needs(bind).includes('rw'))
    return `pilots never write to ${written}; add :ro to the bind`;
  return undefined;
}

/** Why no entry of the policy allows a bind; undefined: one does. */
export function refusedBind(bind: Bind, allowed: readonly AllowedBind[]): string | undefined {
  // Who may write there could put a link in its place, to anything, once it was looked at.
  const writable = allowed.find(
    ({ path, options }) => options.includes('rw') && bind.source !== path && isWithin(bind.source, path),
  );
  if (writable !== undefined)
    return `within ${writable.path}, where pilots may write; bind ${writable.path} as a whole`;
  const around = allowed.filter(({ path }) => isWithin(bind.source, path));
  if (around.length === 0) return 'not among the allowed binds';
  const needed = needs(bind);
  const missing = around.map(({ options }) => needed.filter((option) => !options.includes(option)));
  if (missing.some((options) => options.length === 0)) return undefined;
  return `allowed without ${[...new Set(missing.flat())].join(',')} only`;
}
