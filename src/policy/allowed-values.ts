import { normalize } from 'node:path/posix';
import { parseImageReference } from '../config/image-reference.js';
import { capability } from '../config/container-values.js';
import { readSshSigner } from '../config/ssh-keys.js';
import { oneOf, text, type ValueType } from '../config/value-type.js';
import * as z from 'zod';

/** An entry of `images`: `*`, `name/*`, `name`, `name:tag` or `name@digest`. */
export function allowedImage(): ValueType<string> {
  return text('an image as name, name:tag, name@digest, name/* or *', (value) => {
    if (value === '*') return true;
    const below = value.endsWith('/*');
    const reference = parseImageReference(below ? `${value.slice(0, -2)}/x` : value);
    return reference !== undefined && (!below || (reference.tag ?? reference.digest) === undefined);
  });
}

/** A folder or file that pilots may see, with everything below it. */
export interface AllowedBind {
  /** Absolute, without `.`, `..`, double or trailing slashes. */
  readonly path: string;
  /** Beyond reading: `rw`, `shared`, `rshared`, `z`, `Z`. */
  readonly options: readonly string[];
}

const bindOptions = ['ro', 'rw', 'shared', 'rshared', 'z', 'Z'];

/** An absolute path as there is one for each file, as far as that can be told without looking. */
export function plainPath(path: string): string {
  const plain = normalize(path);
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain;
}

/** An entry of `binds`: `/path[:option,option]`. */
export function allowedBind(): ValueType<AllowedBind> {
  const accepted = `/path or /path:option,option (${bindOptions.join(' ')}; without rw it is read-only)`;
  const { schema } = text(accepted, (value) => {
    const [path = '', options = 'ro', ...rest] = value.split(':');
    const isPath = path.startsWith('/') && !/[\p{Cc}\p{Cf}]/u.test(path) && !path.split('/').includes('..');
    return rest.length === 0 && isPath && options.split(',').every((option) => bindOptions.includes(option));
  });
  const read = schema.transform((value): AllowedBind => {
    const [path = '', options = 'ro'] = value.split(':');
    return { path: plainPath(path), options: options.split(',').filter((option) => option !== 'ro') };
  });
  return { schema: read, accepted };
}

/** A device of the host, and what may be done with it. */
export interface AllowedDevice {
  readonly path: string;
  /** Out of `r`, `w` and `m`. */
  readonly permissions: string;
}

/** An entry of `devices`: `/dev/on/host[:permissions]`. */
export function allowedDevice(): ValueType<AllowedDevice> {
  const accepted = '/dev/on/host or /dev/on/host:permissions, permissions out of r, w and m';
  const shape = /^(\/dev\/[^\0:]+)(?::([rwm]{1,3}))?$/;
  const { schema } = text(accepted, (value) => {
    const [, path = ''] = shape.exec(value) ?? [];
    return plainPath(path).startsWith('/dev/') && !path.split('/').includes('..');
  });
  const read = schema.transform((value): AllowedDevice => {
    const [, path = '', permissions = 'rwm'] = shape.exec(value) ?? [];
    return { path: plainPath(path), permissions };
  });
  return { schema: read, accepted };
}

/** A Linux capability, without sign and without `CAP_`. */
export function allowedCapability(): ValueType<string> {
  const accepted = 'a Linux capability such as SYS_ADMIN, or ALL';
  const { schema } = capability();
  const named = schema.refine((name) => !/^[+-]/.test(name), { error: `has a sign; give ${accepted}` });
  return { schema: named.transform((name) => name.toUpperCase().replace(/^CAP_/, '')), accepted };
}

/** A user that pilots may run as: exactly this text, or numbers from `least` to `most`, also of the group. */
export type AllowedUser = { readonly exactly: string } | { readonly least: number; readonly most: number };

/** An entry of `users`: `user:group` as the configuration writes it, or a range of numbers. */
export function allowedUser(): ValueType<AllowedUser> {
  const accepted = 'user or user:group as the configuration writes it, or numbers as 1000-65535';
  const range = /^(\d{1,10})-(\d{1,10})$/;
  const exact = /^[A-Za-z0-9_][\w.-]*(?::[A-Za-z0-9_][\w.-]*)?$/;
  const { schema } = text(accepted, (value) => {
    const [, least, most] = range.exec(value) ?? [];
    return least === undefined ? exact.test(value) : Number(least) <= Number(most);
  });
  const read = schema.transform((value): AllowedUser => {
    const [, least, most] = range.exec(value) ?? [];
    return least === undefined ? { exactly: value } : { least: Number(least), most: Number(most) };
  });
  return { schema: read satisfies z.ZodType<AllowedUser>, accepted };
}

/** What is done about signatures. YAML reads `off` as false. */
export function signatureMode(): ValueType<'off' | 'warn' | 'require'> {
  const { schema, accepted } = oneOf('off', 'warn', 'require');
  return { schema: z.preprocess((value) => (value === false ? 'off' : value), schema), accepted };
}

/** An entry of `config_keys`: the key itself, or the file that holds keys. */
export function configKey(): ValueType<string> {
  return text(
    'an SSH public key, a line of allowed_signers, or the /path of a file with SSH or GPG public keys',
    (value) => {
      if (!value.startsWith('/')) return readSshSigner(value) !== undefined;
      return !/[\p{Cc}\p{Cf}]/u.test(value) && !value.split('/').includes('..');
    },
  );
}
