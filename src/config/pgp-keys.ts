import { createHash } from 'node:crypto';
import type { TrustedKey } from './signature.js';

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

const publicKeyTag = 6;
const userIdTag = 13;
const secretTags = [5, 7];

/** Where a body begins and ends; undefined for lengths that no key has (RFC 9580, 4.2). */
function extent(data: Buffer, at: number): { tag: number; from: number; to: number } | undefined {
  const first = data.readUInt8(at);
  if (first < 0x80) return undefined;
  if ((first & 0x40) === 0) {
    const bytes = [1, 2, 4][first & 3];
    if (bytes === undefined) return undefined;
    const from = at + 1 + bytes;
    return { tag: (first >> 2) & 0x0f, from, to: from + data.readUIntBE(at + 1, bytes) };
  }
  const tag = first & 0x3f;
  const length = data.readUInt8(at + 1);
  if (length < 192) return { tag, from: at + 2, to: at + 2 + length };
  if (length < 224) return { tag, from: at + 3, to: at + 3 + ((length - 192) << 8) + data.readUInt8(at + 2) + 192 };
  return length === 255 ? { tag, from: at + 6, to: at + 6 + data.readUInt32BE(at + 2) } : undefined;
}

/** Undefined: these are no packets. */
function readPackets(data: Buffer): Packet[] | undefined {
  const packets: Packet[] = [];
  try {
    for (let at = 0; at < data.length;) {
      const found = extent(data, at);
      if (found === undefined || found.to > data.length) return undefined;
      packets.push({ tag: found.tag, body: data.subarray(found.from, found.to) });
      at = found.to;
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return packets;
}

/** The bytes in ASCII armor, all blocks of it; the check is on the packets, not on the optional checksum. */
function withoutArmor(text: string): Buffer {
  const blocks = [...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----/gs)];
  return Buffer.concat(
    blocks.map(([, inner = '']) => {
      const lines = inner.split('\n').map((line) => line.trim());
      return Buffer.from(lines.filter((line) => /^[A-Za-z0-9+/]+={0,2}$/.test(line)).join(''), 'base64');
    }),
  );
}

function fingerprintOf(body: Buffer): string {
  const head = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
  return createHash('sha1').update(head).update(body).digest('hex').toUpperCase();
}

/** The first name behind a key, which is its main one. */
function nameAfter(packets: readonly Packet[], at: number): string {
  const userId = packets.slice(at).find(({ tag }) => tag === userIdTag);
  return userId?.body.toString('utf8') ?? 'without a name';
}

/** Whether a file claims to hold keys of GPG, in armor or as they are. */
export function looksLikePgp(data: Buffer): boolean {
  return data.readUInt8(0) >= 0x80 || data.includes('-----BEGIN PGP ');
}

/** The public keys in a file of GPG, or what is wrong with it, as the end of a sentence. */
export function readPgpKeys(data: Buffer): { keys: TrustedKey[]; ring: Buffer } | string {
  const ring = data.readUInt8(0) >= 0x80 ? data : withoutArmor(data.toString('latin1'));
  const packets = readPackets(ring);
  if (data.includes('PRIVATE KEY BLOCK') || packets?.some(({ tag }) => secretTags.includes(tag)))
    return 'holds a private key, which belongs to whoever signs; put the public key there (gpg --export)';
  if (packets?.[0]?.tag !== publicKeyTag) return 'holds no public key of GPG; write it with gpg --export';
  const keys: TrustedKey[] = [];
  for (const [at, { tag, body }] of packets.entries()) {
    if (tag !== publicKeyTag) continue;
    if (body[0] !== 4) return 'holds a key of another version than 4, which is not understood';
    const name = nameAfter(packets, at);
    keys.push({ kind: 'gpg', name, fingerprint: fingerprintOf(body) });
  }
  return { keys, ring };
}
