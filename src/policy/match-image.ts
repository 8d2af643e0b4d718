import { parseImageReference } from '../config/image-reference.js';

const dockerHub = 'docker.io';

/** A name with its registry: `busybox` is `docker.io/library/busybox`, as the engine understands it. */
function fullName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (first === 'localhost' || /[.:[]/.test(first) || first !== first.toLowerCase());
  if (!isHost) return rest.length === 0 ? `${dockerHub}/library/${name}` : `${dockerHub}/${name}`;
  if (first !== dockerHub && first !== `index.${dockerHub}`) return name;
  return rest.length === 1 ? `${dockerHub}/library/${rest.join('/')}` : [dockerHub, ...rest].join('/');
}

/** `prefix` ends in a slash, and so does the result. */
function fullPrefix(prefix: string): string {
  if (prefix === `${dockerHub}/` || prefix === `index.${dockerHub}/`) return `${dockerHub}/`;
  return fullName(`${prefix}x`).slice(0, -1);
}

/**
 * Whether an entry of the policy's `images` allows an image. Names are compared whole, part by part: `reg.org/a` allows neither
 * `reg.org.evil/a` nor `reg.org/ab`.
 */
export function allowsImage(entry: string, image: string): boolean {
  const wanted = parseImageReference(image);
  if (wanted === undefined) return false;
  if (entry === '*') return true;
  const name = fullName(wanted.name);
  if (entry.endsWith('/*')) return name.startsWith(fullPrefix(entry.slice(0, -1)));
  const allowed = parseImageReference(entry);
  if (allowed === undefined || fullName(allowed.name) !== name) return false;
  if (allowed.digest !== undefined) return allowed.digest === wanted.digest;
  if (allowed.tag === undefined) return true;
  // With a digest the tag means nothing to the engine, so that anybody could write the allowed one.
  return wanted.digest === undefined && (wanted.tag ?? 'latest') === allowed.tag;
}
