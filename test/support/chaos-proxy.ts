import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { systemClock } from '../../src/clock.js';
import { deliver, type Source } from './chaos-delivery.js';
import {
  activate,
  type ActiveRule,
  type Answer,
  type ArmedRule,
  type ChaosRule,
  type Phase,
  type ProxyRequest,
} from './chaos-rules.js';

/** Stands between a client and an engine and breaks what the rules tell it to; everything else it passes on. No upgraded connections. */
export interface ChaosProxy {
  readonly socketPath: string;
  /** The value for DOCKER_HOST. */
  readonly host: string;
  /** Every request so far, in order. */
  readonly requests: readonly ProxyRequest[];
  /** The first rule that claims a request has it. */
  add(rule: ChaosRule): ArmedRule;
  /** Removes all rules. */
  heal(): void;
  /** As if the engine had ended: connections are cut, and nobody listens. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Listens at `socketPath`; `engineHost` is `unix:///...`. */
export async function startChaosProxy(socketPath: string, engineHost: string): Promise<ChaosProxy> {
  const engineSocket = engineHost.slice('unix://'.length);
  const requests: ProxyRequest[] = [];
  let rules: readonly ActiveRule[] = [];
  const handle = async (incoming: IncomingMessage, reply: ServerResponse) => {
    const body = await readBody(incoming);
    const request = toRequest(incoming);
    requests.push(request);
    const active = rules.find((rule) => rule.claims(request));
    await serve(new Passage({ engineSocket, incoming, reply, body, request, active }));
  };
  const server = http.createServer((incoming, reply) => {
    // Client or engine has left in the middle.
    handle(incoming, reply).catch(() => reply.destroy());
  });
  const listen = async () => {
    await rm(socketPath, { force: true });
    server.listen(socketPath);
    await once(server, 'listening');
  };
  const leave = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen();
  return {
    socketPath,
    host: `unix://${socketPath}`,
    requests,
    add: (rule) => {
      const active = activate(rule, (removed) => (rules = rules.filter((other) => other !== removed)));
      rules = [...rules, active];
      return active;
    },
    heal: () => {
      rules = [];
    },
    leave,
    comeBack: listen,
    stop: leave,
  };
}

interface PassageParts {
  readonly engineSocket: string;
  readonly incoming: IncomingMessage;
  readonly reply: ServerResponse;
  readonly body: Buffer;
  readonly request: ProxyRequest & { readonly phases: Set<Phase> };
  readonly active: ActiveRule | undefined;
}

/** One request on its way. */
class Passage {
  readonly reply: ServerResponse;
  readonly rule: ChaosRule | undefined;
  readonly #parts: PassageParts;

  constructor(parts: PassageParts) {
    this.#parts = parts;
    this.reply = parts.reply;
    this.rule = parts.active?.rule;
  }

  async come(phase: Phase): Promise<void> {
    const { request, active } = this.#parts;
    request.phases.add(phase);
    await active?.note(phase, request);
  }

  /** Asks the engine; resolves when it begins to answer. */
  async ask(): Promise<IncomingMessage> {
    const { engineSocket, incoming, reply, body, active } = this.#parts;
    const { method, url, headers } = incoming;
    const onward = http.request({ socketPath: engineSocket, path: url, method, headers, agent: false });
    let answered = false;
    reply.on('close', () => {
      // What a rule has struck is done by the engine whether or not anybody waits for it.
      if (answered || active === undefined) onward.destroy();
    });
    onward.on('error', () => undefined);
    onward.end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    answered = true;
    // Cut by the engine itself: whoever reads it is told, and nobody else needs to know.
    answer.on('error', () => undefined);
    return answer;
  }
}

async function serve(passage: Passage): Promise<void> {
  const { reply, rule } = passage;
  await passage.come('arrived');
  if (rule?.waitMs !== undefined) await systemClock.sleep(rule.waitMs);
  const said = rule?.forward === false ? undefined : await passage.ask();
  if (said !== undefined) await passage.come('executed');
  const source = sourceOf(said, rule?.answer);
  if (await deliver(reply, source, rule?.delivery ?? 'whole')) await passage.come('replied');
}

/** What the engine has said, unless something is to be said in its place. */
function sourceOf(said: IncomingMessage | undefined, answer: Answer | undefined): Source {
  if (said !== undefined && answer === undefined) {
    return { status: said.statusCode ?? 502, headers: said.headers, body: said };
  }
  said?.resume();
  const { status, body, contentType = 'application/json' } = answer ?? { status: 200, body: '{}' };
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  return { status, headers, body: Readable.from(body === '' ? [] : [Buffer.from(body)]) };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function toRequest({ method = 'GET', url = '/' }: IncomingMessage): ProxyRequest & { readonly phases: Set<Phase> } {
  const path = (url.split('?')[0] ?? '').replace(/^\/v\d+\.\d+(?=\/)/, '');
  return { method, path, url, phases: new Set() };
}
