import http from 'node:http';

/** What one look may take: an engine that hangs must not blind the referee for longer. */
const lookDeadlineMs = 10_000;
/** What a change may take that the referee itself makes. */
const changeDeadlineMs = 60_000;
const apiVersion = '/v1.41';

/** One reply of an engine. */
export interface Reply {
  readonly status: number;
  /** Parsed; undefined where the engine said nothing. */
  readonly body: unknown;
}

/** The bare HTTP API of a Docker Engine. Deliberately nothing of the daemon's own: its mistakes must not be made twice. */
export interface EngineWindow {
  /** Rejects when no reply came in time. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<Reply>;
  /** Follows a stream of JSON lines until it ends, is cut or `signal` aborts; never rejects. `onOpen`: it has begun. */
  follow(path: string, onOpen: () => void, onLine: (value: unknown) => void, signal: AbortSignal): Promise<void>;
}

/** Opens a window to the engine at `unix:///...`. */
export function openEngineWindow(dockerHost: string): EngineWindow {
  const socketPath = dockerHost.replace('unix://', '');
  return {
    ask: (method, path, body) => ask(socketPath, method, path, body),
    follow: (path, onOpen, onLine, signal) => follow(socketPath, path, { onOpen, onLine, signal }),
  };
}

function ask(socketPath: string, method: string, path: string, body: object | undefined): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json' };
    const signal = AbortSignal.timeout(method === 'GET' ? lookDeadlineMs : changeDeadlineMs);
    const request = http.request(
      { socketPath, method, path: apiVersion + path, headers, agent: false, signal },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        reply.on('error', reject).on('end', () => {
          resolve({ status: reply.statusCode ?? 0, body: parse(text) });
        });
      },
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface Follower {
  readonly onOpen: () => void;
  readonly onLine: (value: unknown) => void;
  readonly signal: AbortSignal;
}

function follow(socketPath: string, path: string, { onOpen, onLine, signal }: Follower): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      resolve();
    };
    const request = http.get({ socketPath, path: apiVersion + path, agent: false, signal }, (reply) => {
      onOpen();
      let rest = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') onLine(JSON.parse(line));
      });
      reply.on('error', over).on('close', over);
    });
    request.on('error', over).on('close', over);
  });
}

function parse(text: string): unknown {
  try {
    return text.trim() === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}
