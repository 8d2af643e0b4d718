import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Something that listens on a loopback port of its own until it is closed. */
export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that was killed is what some tests are about.
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Accepts everybody and never says a word. */
export function startHungServer(): Promise<TestServer> {
  return listen(createServer());
}

async function freePort(): Promise<number> {
  const server = await startHungServer();
  await server.close();
  return server.port;
}

async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Serves every repository below `root` over git://. */
export async function startGitDaemon(root: string): Promise<TestServer> {
  const { stdout } = await execFileAsync('git', ['--exec-path']);
  for (;;) {
    const port = await freePort();
    const where = ['--listen=127.0.0.1', `--port=${port}`, '--reuseaddr', `--base-path=${root}`, '--export-all'];
    // Not through `git daemon`: the wrapper would be what the signal reaches.
    const daemon = spawn(join(stdout.trim(), 'git-daemon'), where, { stdio: 'ignore' });
    while (daemon.exitCode === null) {
      if (await isAnswering(port)) return { port, close: () => stop(daemon) };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A private CA's file and what a server on 127.0.0.1 needs, made in `dir`. */
export async function makeCertificate(dir: string): Promise<{ caFile: string; cert: Buffer; key: Buffer }> {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await execFileAsync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...subject]);
  return { caFile: cert, cert: await readFile(cert), key: await readFile(key) };
}

/** Hands one request to git's own CGI program. */
function serveGit(root: string, backend: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const env = {
    PATH: process.env['PATH'],
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    REMOTE_ADDR: '127.0.0.1',
  };
  const child = spawn(backend, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    for (const line of output.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else if (name !== '') response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
}

export interface HttpsGitOptions {
  readonly root: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  /** `user:token`; without it everybody may read. */
  readonly login?: string;
  /** Called for each request that is let in; it is answered when this resolves. */
  readonly onRequest?: () => Promise<void>;
}

/** Serves every repository below `root` over https. */
export async function startHttpsGit(options: HttpsGitOptions): Promise<TestServer> {
  const { root, cert, key, login, onRequest } = options;
  const { stdout } = await execFileAsync('git', ['--exec-path']);
  const backend = join(stdout.trim(), 'git-http-backend');
  const expected = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  const server = createHttpsServer({ cert, key }, (request, response) => {
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="conf"' }).end();
      return;
    }
    void (onRequest?.() ?? Promise.resolve()).then(() => {
      serveGit(root, backend, request, response);
    });
  });
  return listen(server);
}

/** A proxy that only knows CONNECT, and remembers whom it was asked for. */
export async function startProxy(): Promise<TestServer & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createHttpServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
    asked.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.on('close', () => target.destroy());
  });
  return { ...(await listen(server)), asked };
}

function packetLine(text: string): string {
  return `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
}

/** The beginning of a pack with one object, of which the server claims that it is a terabyte, and a piece of it that may follow for ever. */
function endlessPack(): { head: Buffer; piece: Buffer } {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1');
  let size = 2 ** 40;
  const header = [0x80 | (3 << 4) | (size % 16)];
  for (size = Math.floor(size / 16); size >= 128; size = Math.floor(size / 128)) header.push(0x80 | (size % 128));
  header.push(size);
  // Blocks that are stored as they are, never the last one.
  const length = 0xffff;
  const block = Buffer.concat([Buffer.from([0, 0xff, 0xff, 0, 0]), Buffer.alloc(length, 'x')]);
  return { head: Buffer.concat([head, Buffer.from(header), Buffer.from([0x78, 0x01])]), piece: block };
}

/** How a server that speaks git:// misbehaves once it was asked for a branch: it sends a pack without end, or hangs up within it. */
export type PackFault = 'endless' | 'cut';

/** Serves one repository, whose branch `main` is at a commit that nobody has. */
export function startBadPackServer(fault: PackFault): Promise<TestServer> {
  const commit = '1'.repeat(40);
  const offered = `${commit} HEAD\0shallow agent=test symref=HEAD:refs/heads/main\n`;
  return listen(
    createServer((socket) => {
      let heard = '';
      let answered = 0;
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString('latin1');
        if (answered === 0) {
          socket.write(`${packetLine(offered)}${packetLine(`${commit} refs/heads/main\n`)}0000`);
          answered = 1;
        }
        if (answered === 1 && heard.includes('deepen')) {
          socket.write(`${packetLine(`shallow ${commit}`)}0000`);
          answered = 2;
        }
        if (answered < 3 && heard.includes('done')) {
          answered = 3;
          socket.write(packetLine('NAK\n'));
          sendPack(socket, fault);
        }
      });
    }),
  );
}

function sendPack(socket: Socket, fault: PackFault): void {
  const { head, piece } = endlessPack();
  socket.write(head);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  if (fault === 'cut') socket.end(piece);
  else {
    socket.on('drain', more);
    more();
  }
}

/** Says a little now and then, and never comes to the point. */
export function startDripServer(): Promise<TestServer> {
  return listen(
    createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      const timer = setInterval(() => socket.write('x'), 50);
      socket.on('close', () => {
        clearInterval(timer);
      });
    }),
  );
}

/** Sends everybody elsewhere, and counts them. */
export async function startRedirectServer(target: string): Promise<TestServer & { requests(): number }> {
  let requests = 0;
  const server = createHttpServer((request, response) => {
    requests += 1;
    response.writeHead(301, { Location: `${target}${request.url ?? ''}` }).end();
  });
  return { ...(await listen(server)), requests: () => requests };
}
