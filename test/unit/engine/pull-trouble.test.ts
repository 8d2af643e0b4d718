import { expect, it } from 'vitest';
import { EngineError } from '../../../src/engine/container-engine.js';
import { pullTroubleOf } from '../../../src/engine/pull-trouble.js';
import type { EngineFailure, PullTrouble } from '../../../src/model.js';

const image = 'registry.example.org:5000/team/pilot:v1';
const at = 'https://registry.example.org:5000/v2';

/** In the words of engines from 20.10 on. */
const failures: readonly (readonly [PullTrouble | undefined, EngineFailure['kind'], string])[] = [
  ['rate-limited', 'refused', 'toomanyrequests: You have reached your pull rate limit.'],
  ['rate-limited', 'refused', 'error parsing HTTP 429 response body: invalid character: "<html>"'],
  ['rate-limited', 'refused', 'unexpected status from HEAD request to x: 429 Too Many Requests'],
  ['denied', 'refused', `Head "${at}/team/pilot/manifests/v1": no basic auth credentials`],
  ['denied', 'refused', 'unauthorized: authentication required'],
  ['denied', 'not-found', `pull access denied for ${image}, repository does not exist or may require 'docker login'`],
  ['absent', 'not-found', `manifest for ${image} not found: manifest unknown: manifest unknown`],
  ['absent', 'not-found', 'something new'],
  ['untrusted', 'refused', `Get "${at}/": x509: certificate signed by unknown authority`],
  ['untrusted', 'refused', `Get "${at}/": http: server gave HTTP response to HTTPS client`],
  ['unreachable', 'refused', `Get "${at}/": dial tcp 127.0.0.1:5000: connect: connection refused`],
  ['unreachable', 'refused', `Get "${at}/": dial tcp: lookup registry.example.org: no such host`],
  ['unreachable', 'refused', 'net/http: TLS handshake timeout'],
  ['unwell', 'refused', 'received unexpected HTTP status: 503 Service Unavailable'],
  ['unwell', 'refused', 'missing or empty Content-Type header'],
  ['damaged', 'refused', 'filesystem layer verification failed for digest sha256:0123'],
  ['damaged', 'refused', 'unexpected EOF'],
  ['no-room', 'refused', 'write /var/lib/docker/tmp/GetImageBlob1: no space left on device'],
  ['silent', 'timeout', 'no answer from the container engine within 120 s'],
  // These are about the engine.
  [undefined, 'unreachable', 'no container engine there (ECONNREFUSED)'],
  [undefined, 'malformed', 'the container engine stopped in the middle'],
  [undefined, 'refused', 'something new'],
];

it.each(failures)('%s, by what the engine says (%s): %s', (trouble, kind, said) => {
  expect(pullTroubleOf(new EngineError(kind, `Pulling ${image}: ${said}`), image)).toBe(trouble);
});

it.each(['denied/toomanyrequests:x509', 'unauthorized@sha256:0123', 'not found'])(
  'is not misled by the name of an image (%s)',
  (name) => {
    const said = `Pulling ${name}: manifest for ${name} is odd; ${name.split(/[:@]/)[0] ?? ''} is`;
    expect(pullTroubleOf(new EngineError('refused', said), name)).toBe(undefined);
  },
);
