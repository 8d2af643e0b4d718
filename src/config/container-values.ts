import * as shlex from 'shlex';
import * as z from 'zod';
import type { DeviceSpec } from '../model.js';
import { parseImageReference } from './image-reference.js';
import { refusal, text, type ValueType } from './value-type.js';

const capabilities = new Set(
  `ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH
  FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
  NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
  SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`.split(/\s+/),
);

/** Engines take one of a kind at most. */
const bindOptionKinds = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['nocopy'],
  ['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate'],
  ['consistent', 'cached', 'delegated'],
];
const bindOptions = bindOptionKinds.flat();

function isBindMode(mode: string): boolean {
  const options = mode.split(',');
  const isOneAtMost = (kind: readonly string[]) => options.filter((option) => kind.includes(option)).length <= 1;
  return options.every((option) => bindOptions.includes(option)) && bindOptionKinds.every(isOneAtMost);
}

function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') && !/[\p{Cc}\p{Cf}]/u.test(path) && !path.split('/').includes('..');
}

/** A Docker image reference. */
export function imageName(): ValueType<string> {
  return text('an image as [registry[:port]/]name[:tag][@digest]', (value) => parseImageReference(value) !== undefined);
}

/** `user[:group]`, names or numbers. */
export function userAndGroup(): ValueType<string> {
  const shape = /^[A-Za-z0-9_][\w.-]*(?::[A-Za-z0-9_][\w.-]*)?$/;
  return text('user or user:group, as names or numbers', (value) => shape.test(value));
}

/** The mount options of a bind, comma separated. */
export function bindMode(): ValueType<string> {
  return text(`mount options such as rw,rslave or ro (${bindOptions.join(' ')}, one of a kind)`, isBindMode);
}

/** `host:container[:options]` with absolute paths. */
export function bind(): ValueType<string> {
  return text('/path/on/host:/path/in/container[:options], options such as ro or rw,rslave', (value) => {
    const [hostPath = '', containerPath = '', mode, ...rest] = value.split(':');
    if (rest.length > 0 || (mode !== undefined && !isBindMode(mode))) return false;
    return isAbsolutePath(hostPath) && isAbsolutePath(containerPath);
  });
}

/** A Linux capability to add (`X`, `+X`) or to drop (`-X`). */
export function capability(): ValueType<string> {
  return text('a Linux capability to add (SYS_ADMIN, +SYS_ADMIN) or to drop (-NET_RAW)', (value) =>
    capabilities.has(value.toUpperCase().replace(/^[+-]/, '').replace(/^CAP_/, '')),
  );
}

/** A security option of the engine. It is Docker's command line that reads files with seccomp profiles; engines want what is in them. */
export function securityOption(): ValueType<string> {
  const accepted =
    'a security option such as apparmor=PROFILE, seccomp={JSON of the profile}, label=... or no-new-privileges';
  return text(accepted, (value) => {
    const [, name, setting = ''] = /^([a-z][a-z-]*)(?:[=:]([^\s\0]+))?$/.exec(value) ?? [];
    return name !== undefined && (name !== 'seccomp' || /^(unconfined|builtin|\{.*\})$/.test(setting));
  });
}

/** A network of the engine. */
export function networkName(): ValueType<string> {
  return text('a network of the engine: bridge, host, none or a name', (value) =>
    /^[A-Za-z0-9][\w.-]*(?::[A-Za-z0-9][\w.-]*)?$/.test(value),
  );
}

function splitCommand(line: string): string[] {
  // The original split on blanks; quoting is understood only where somebody quotes.
  return /["'\\]/.test(line) ? shlex.split(line) : line.split(/\s+/).filter((word) => word !== '');
}

/** A command: a list of arguments, or one line that is split as a shell would, without expanding anything. */
export function commandLine(): ValueType<string[]> {
  const accepted = 'a command line, or a list of arguments';
  const error = refusal(accepted);
  const argument = z
    .union([z.string(), z.number().int()], { error: refusal('an argument as text, in quotes') })
    .transform(String)
    .refine((word) => !word.includes('\0'), { error: 'contains a NUL character, which no argument can' });
  const schema = z.union([z.string(), z.array(z.unknown())], { error }).transform((input, context): string[] => {
    if (typeof input === 'string') {
      try {
        return splitCommand(input);
      } catch {
        context.addIssue({ code: 'custom', message: 'a quote is not closed; close it, or give a list of arguments' });
        return z.NEVER;
      }
    }
    const result = z.array(argument).safeParse(input);
    if (result.success) return result.data;
    for (const { path, message } of result.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });
  return { schema, accepted };
}

/** A device: `host[:container[:permissions]]`, or the mapping that the engine's API takes. */
export function device(): ValueType<DeviceSpec> {
  const accepted = '/dev/on/host[:/dev/in/container[:permissions]], permissions out of r, w and m';
  const error = refusal(accepted);
  const mapping = z.strictObject(
    {
      PathOnHost: z.string(),
      PathInContainer: z.string().optional(),
      CgroupPermissions: z.string().optional(),
    },
    { error },
  );
  const schema = z.union([z.string(), mapping], { error }).transform((input, context): DeviceSpec => {
    const [hostPath = '', containerPath = hostPath, permissions = 'rwm', ...rest] =
      typeof input === 'string' ? input.split(':') : [input.PathOnHost, input.PathInContainer, input.CgroupPermissions];
    const shape = rest.length === 0 && isAbsolutePath(hostPath) && isAbsolutePath(containerPath);
    if (shape && /^(?!.*(.).*\1)[rwm]{1,3}$/.test(permissions)) return { hostPath, containerPath, permissions };
    context.addIssue({ code: 'custom', message: error({ input }) });
    return z.NEVER;
  });
  return { schema, accepted: `${accepted}; or a mapping of PathOnHost, PathInContainer, CgroupPermissions` };
}
