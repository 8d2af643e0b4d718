import { createHash } from 'node:crypto';
import type { TrustedKey } from './signature.js';

/** A line of `allowed_signers`, and the key in it. */
export interface SshSigner {
  readonly key: TrustedKey;
  readonly line: string;
}

const shape =
  /^(?:(?<signers>\S.*?)\s+)?(?<type>(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)\s+(?<blob>[A-Za-z0-9+/]{20,}={0,2})(?:\s+(?<comment>.*))?$/;

/** The name of the kind of key that is inside of the key itself; undefined where the key is cut short. */
function typeInside(blob: Buffer): string | undefined {
  let type: string | undefined;
  let at = 0;
  while (at + 4 <= blob.length) {
    const end = at + 4 + blob.readUInt32BE(at);
    if (end <= blob.length) type ??= blob.toString('latin1', at + 4, end);
    at = end;
  }
  return at === blob.length ? type : undefined;
}

/** One word that can stand at the beginning of a line of `allowed_signers`. */
function asSigner(comment: string | undefined): string {
  return (comment ?? '').replace(/[^\w@.+-]+/g, '_') || 'unnamed';
}

/**
 * Reads a public key as ssh-keygen writes it, or a line of `allowed_signers`, whose options stay as they are. Undefined: it is neither. A plain
 * key is good for git only.
 */
export function readSshSigner(text: string): SshSigner | undefined {
  const line = text.trim().replaceAll('\t', ' ');
  const { signers, type, blob, comment } = shape.exec(line)?.groups ?? {};
  if (type === undefined || blob === undefined || /\p{Cc}/u.test(line)) return undefined;
  const bytes = Buffer.from(blob, 'base64');
  if (typeInside(bytes) !== type) return undefined;
  const name = signers?.split(/\s/, 1)[0] ?? asSigner(comment);
  const fingerprint = `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
  const who = signers ?? `${name} namespaces="git"`;
  return { key: { kind: 'ssh', name, fingerprint }, line: `${who} ${type} ${blob}` };
}

/** All signers in a file, or what is wrong with it, as the end of a sentence. */
export function readSshSigners(text: string): SshSigner[] | string {
  if (text.includes('PRIVATE KEY-----'))
    return 'holds a private key, which belongs to whoever signs; put the public key there';
  const signers: SshSigner[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const signer = readSshSigner(line);
    if (signer === undefined)
      return `holds in line ${index + 1} neither an SSH public key nor a line of allowed_signers`;
    signers.push(signer);
  }
  return signers.length > 0 ? signers : 'holds no key';
}
