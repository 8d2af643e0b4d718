import type { PullTrouble } from '../model.js';

interface PullWords {
  readonly what: string;
  readonly cure: string;
}

const OUR_FILE = "docker_image, and for a private image Docker's config.json in /etc/plancton-registry.json";

/** What is said of image `x`. */
const WORDS: Readonly<Record<PullTrouble, (x: string) => PullWords>> = {
  'rate-limited': (x) => ({
    what: `the registry of image ${x} limits how often it may be asked, and the limit is reached`,
    cure: 'wait; or use an account that may ask more often (/etc/plancton-registry.json), a mirror or a registry of your own',
  }),
  denied: (x) => ({
    what: `the registry does not let this host have image ${x}, or has none of that name`,
    cure: `look at ${OUR_FILE}`,
  }),
  absent: (x) => ({
    what: `the registry has no image ${x}`,
    cure: 'correct docker_image, or push that image',
  }),
  untrusted: (x) => ({
    what: `the container engine does not trust the registry of image ${x}`,
    cure: 'put the certificate of its CA into /etc/docker/certs.d/REGISTRY/ca.crt; it is the engine that talks to it',
  }),
  unreachable: (x) => ({
    what: `the container engine cannot reach the registry of image ${x}`,
    cure: "look at its name and port in docker_image, at the network and at the engine's proxy settings",
  }),
  unwell: (x) => ({
    what: `the registry of image ${x} answers with errors of its own`,
    cure: 'tell whoever runs that registry; there is nothing to mend on this host',
  }),
  damaged: (x) => ({
    what: `what the registry serves as image ${x} is damaged`,
    cure: 'push that image again; look at the disk of the registry, and at proxies in between',
  }),
  'no-room': (x) => ({
    what: `there is no room for image ${x} on the container engine's disk`,
    cure: 'docker system df; make room on that disk',
  }),
  silent: (x) => ({
    what: `nothing comes of image ${x}: the registry, or the container engine, hangs`,
    cure: `time docker pull ${x}; look at the registry, and at firewalls and proxies in between`,
  }),
};

/** What is wrong with a pull that failed, and what the reader can do. */
export function pullWords(trouble: PullTrouble | undefined, image: string): PullWords {
  if (trouble !== undefined) return WORDS[trouble](image);
  return { what: `image ${image} cannot be pulled`, cure: `docker pull ${image}; look at ${OUR_FILE}` };
}
