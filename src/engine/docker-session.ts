import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import { EngineError } from './container-engine.js';
import { readApiRange } from './docker-reply.js';
import { Docker } from './docker-package.js';

const newestKnown = '1.51';
const oldestKnown = '1.40';
/** A thousand containers are listed in 2 MB. */
const largestReply = 64 * 1024 * 1024;

/** Dockerode with the options that its typings do not know of. */
export type DockerClient = Dockerode & {
  version(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
  info(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
};

/** A client that speaks an API version the engine understands. */
export interface DockerSession {
  readonly docker: DockerClient;
  /** E.g. `1.41`. */
  readonly apiVersion: string;
}

/** Asks the engine at `host` (`unix:///path` or `tcp://host:port`) for its versions and settles on the newest that both speak. */
export async function openSession(host: string, signal: AbortSignal): Promise<DockerSession> {
  const reply = await createClient(host).version({ abortSignal: signal });
  const { newest, oldest } = readApiRange(reply);
  const apiVersion = isOlder(newest, newestKnown) ? newest : newestKnown;
  if (isOlder(apiVersion, oldestKnown)) {
    throw new EngineError(
      'refused',
      `The container engine speaks API ${newest}; ${oldestKnown} (Docker 19.03) or newer is needed`,
    );
  }
  if (isOlder(apiVersion, oldest)) {
    throw new EngineError(
      'refused',
      `The container engine wants API ${oldest} or newer, Plancton speaks ${newestKnown}: update Plancton`,
    );
  }
  return { docker: createClient(host, `v${apiVersion}`), apiVersion };
}

/** Node hands its agents every request; its typings do not say so. */
interface RequestTaker {
  addRequest(request: ClientRequest, ...rest: readonly unknown[]): void;
}

class EngineAgent extends Agent implements RequestTaker {
  /** docker-modem does not hear when a reply is cut in its body, and would wait for ever: it is told as of a connection that broke earlier. */
  addRequest(request: ClientRequest, ...rest: readonly unknown[]): void {
    request.once('response', (reply: IncomingMessage) => {
      boundReply(request, reply);
      reply.once('close', () => {
        if (reply.complete) return;
        request.emit('error', Object.assign(new Error('the reply was cut'), { code: 'ECONNRESET' }));
      });
    });
    (Agent.prototype as unknown as RequestTaker).addRequest.call(this, request, ...rest);
  }

  /** docker-modem inspects its options to the last depth at every call, the agent with all its sockets among them: half the CPU time of a call, or more. */
  [inspect.custom](): string {
    return 'Agent';
  }
}

/** The replies without end are those that we read piece by piece. All others are collected whole, by a client that knows no limit. */
function boundReply(request: ClientRequest, { socket }: IncomingMessage): void {
  if (/\/(events|images\/create)\b|\/logs\?.*\bfollow=(true|1)\b/.test(request.path)) return;
  socket.on('data', () => {
    if (socket.bytesRead > largestReply) request.destroy(new Error(`the reply is larger than ${largestReply} bytes`));
  });
}

function createClient(host: string, version?: string): DockerClient {
  // Fields left out would be filled from DOCKER_HOST. A kept-alive connection fails on first use after the engine restarted.
  const options = {
    ...parseHost(host),
    protocol: 'http' as const,
    version,
    agent: new EngineAgent({ keepAlive: false }),
  };
  return new Docker(options);
}

interface Address {
  readonly socketPath: string | undefined;
  readonly host: string | undefined;
  readonly port: string | undefined;
}

function parseHost(host: string): Address {
  const [, scheme, rest = ''] = /^(unix|tcp):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === 'unix') return { socketPath: rest, host: undefined, port: undefined };
  const [, name, port] = /^(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d+)\/?$/.exec(rest) ?? [];
  if (scheme !== 'tcp' || name === undefined) {
    throw new EngineError(
      'refused',
      `Engine host ${host} is not understood; use unix:///path/to/docker.sock or tcp://host:port`,
    );
  }
  return { socketPath: undefined, host: name, port };
}

function isOlder(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
