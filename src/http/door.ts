import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Clock } from '../clock.js';

export interface DoorOptions {
  readonly clock: Clock;
  readonly make: () => Server;
  readonly where: { readonly path: string } | { readonly host: string; readonly port: number };
  /** Told when it begins to be shut. Must not throw. */
  readonly onTrouble: (message: string) => void;
}

/** What was in the way may have gone. */
const RETRY_MS = 30_000;

/** One place where a server listens, as long as it can. Nothing throws. */
export class Door {
  readonly #options: DoorOptions;
  #server: Server | undefined;
  #triedMs = -Infinity;
  #trouble: string | undefined;
  #isClosed = false;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Opens it, if it is not open and was not tried just now. */
  tend(): void {
    const { monoMs } = this.#options.clock.now();
    if (this.#isClosed || this.#isOpen() || monoMs - this.#triedMs < RETRY_MS) return;
    this.#triedMs = monoMs;
    shut(this.#server);
    try {
      this.#open();
    } catch (error) {
      this.#complain(error);
    }
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const server = this.#server;
    if (server?.listening !== true) {
      shut(server);
      return;
    }
    const closed = once(server, 'close');
    shut(server);
    await closed;
  }

  /** A socket whose folder was made anew is a server that nobody finds. */
  #isOpen(): boolean {
    const { where } = this.#options;
    if (this.#server?.listening !== true) return false;
    return !('path' in where) || isSocket(where.path);
  }

  #open(): void {
    const { make, where } = this.#options;
    if ('path' in where && isSocket(where.path)) unlinkSync(where.path);
    const server = make();
    this.#server = server;
    server.on('error', (error) => {
      this.#complain(error);
    });
    server.once('listening', () => {
      this.#trouble = undefined;
      if ('path' in where) this.#protect(where.path);
    });
    server.listen(where);
  }

  /** For nobody else's eyes, should others ever come into its folder. */
  #protect(path: string): void {
    try {
      chmodSync(path, 0o600);
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const { where, onTrouble } = this.#options;
    const place = 'path' in where ? where.path : `${where.host}:${where.port}`;
    const before = this.#trouble;
    this.#trouble = `nobody can look at this daemon at ${place}: ${error instanceof Error ? error.message : String(error)}`;
    if (this.#trouble !== before) onTrouble(this.#trouble);
  }
}

/** Whether there is one, as far as can be told. */
function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

function shut(server: Server | undefined): void {
  server?.close();
  server?.closeAllConnections();
}
