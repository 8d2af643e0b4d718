import type { GitFailure } from './git-client.js';
import { MAX_GIT_FILE_BYTES } from './git-limits.js';
import { redactUrl } from './git-url.js';
import { ConfigSourceError } from '../source.js';

// git tells kinds of failure apart by words only; a miss here costs a better cure, never a wrong decision.
const CURES: readonly (readonly [RegExp, string])[] = [
  [
    /File too large|exceeds maximum allowed size/i,
    `it sends more than ${MAX_GIT_FILE_BYTES / 1024 / 1024} MiB, which is too much for a configuration repository; take what is big out of it`,
  ],
  [
    /Read-only file system|Permission denied$|insufficient permission|No space left|Disk quota exceeded/i,
    'make room and let Plancton write',
  ],
  [
    /returned error: 30[1-8]|redirect/i,
    'the server sends us elsewhere, which is not followed; give the URL that it means (git remote set-url origin URL)',
  ],
  [/find remote ref|Remote branch .* not found/i, 'the branch is not there: create it again or follow another one'],
  [/Host key verification failed/i, 'add the host key of the server to known_hosts of the user that runs Plancton'],
  [
    /Authentication failed|could not read (Username|Password)|Permission denied \(|returned error: 40[13]/i,
    'check the token or the deploy key, and that it may read this repository',
  ],
  [/certificate|SSL|TLS/i, 'check the certificate of the server; GIT_SSL_CAINFO may name the file of a private CA'],
  [/transport '.*' not allowed/i, 'use a https, http, ssh, git or file URL'],
  [/Could not resolve host/i, 'check the host name, the name service and the proxy settings'],
  [
    /fsck|corrupt|bad object|inflate|SHA1|index-pack|early EOF|unpack/i,
    'what came is damaged or incomplete, and nothing of it is used; check the repository on the server (git fsck)',
  ],
];

/** Turns a failed fetch or clone into what people can act on. */
export function explainFetch(failure: GitFailure, url: string, branch: string | undefined): ConfigSourceError {
  const cure =
    failure.kind === 'timeout'
      ? 'the server does not answer or is too slow; check the network and the proxy settings'
      : (CURES.find(([pattern]) => pattern.test(failure.message))?.[1] ??
        'check the URL, the network and the proxy settings');
  const what = branch === undefined ? '' : `branch ${branch} of `;
  return new ConfigSourceError('unreachable', `Cannot fetch ${what}${redactUrl(url)}: ${failure.message}; ${cure}.`);
}
