/** A key that may sign configurations, as people know it. */
export interface TrustedKey {
  readonly kind: 'ssh' | 'gpg';
  readonly name: string;
  /** `SHA256:...`, or the 40 hexadecimal digits of GPG. */
  readonly fingerprint: string;
}

/** All keys that may sign configurations of this host, and what the programs that check signatures read. */
export interface TrustedKeys {
  readonly list: readonly TrustedKey[];
  /** In the format of ssh-keygen(1), ALLOWED SIGNERS. */
  readonly allowedSigners: string;
  /** Public keys one behind the other, as gpg keeps them. */
  readonly pgpRing: Buffer;
}

/** What this host wants of signatures. `unknown`: there is no policy that can be read, so that nothing new can be vouched for. */
export type SignatureRules =
  | { readonly mode: 'off' }
  /** A text for the keys: why there are none that can be used. */
  | { readonly mode: 'warn' | 'require'; readonly keys: TrustedKeys | string }
  | { readonly mode: 'unknown'; readonly why: string };

/** Whether signatures are looked at, so that tags are of interest. */
export function asksForSignatures({ mode }: SignatureRules): boolean {
  return mode === 'warn' || mode === 'require';
}

/** Who signed a revision, or what is wrong with its signature: a sentence with the cure. */
export type Signature = { readonly by: string } | { readonly problem: string };
