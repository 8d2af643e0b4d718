import { isAbsolute } from 'node:path';

/** The forms of an address that Plancton understands, for messages. */
export const engineForms = 'unix:///path or tcp://host:port';

const largestPort = 65_535;

/** Whether this is the address of a container engine; says nothing about whether one is there. */
export function isEngineAddress(address: string): boolean {
  const [, scheme, place = ''] = /^(unix|tcp):\/\/(.+)$/.exec(address) ?? [];
  if (scheme === 'unix') return isAbsolute(place) && !place.endsWith('/');
  const [, port] = /^(?:\[[0-9a-fA-F:]+\]|[\w.-]+):(\d+)\/?$/.exec(place) ?? [];
  return scheme === 'tcp' && port !== undefined && Number(port) >= 1 && Number(port) <= largestPort;
}
