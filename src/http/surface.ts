import type { IncomingMessage, Server } from 'node:http';
import type { Clock } from '../clock.js';
import type { DaemonEvent } from '../report/event.js';
import type { ShownState } from '../report/shown.js';
import type { Status } from '../report/status.js';
import type { Facts, Rights } from './answers.js';
import { Door } from './door.js';
import { HistoryReader } from './history-reader.js';
import { createListener, type ListenerOptions } from './listener.js';
import { Live } from './live.js';

/** In the run directory. */
export const HTTP_SOCKET = 'http.sock';

/** Where people and programs look at one daemon, by HTTP. */
export interface Surface {
  /** To be called with what each cycle has left: opens again what was closed or could not be opened. `address`: besides the socket, `127.0.0.1:PORT`; undefined: none. */
  show(status: Status, address: string | undefined): void;
  /** Tells those who watch. */
  tell(event: DaemonEvent): void;
  /** Why it is not all there; undefined: it is. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface SurfaceOptions {
  readonly clock: Clock;
  readonly facts: Omit<Facts, 'history'>;
  /** Of the journal, which holds the last day. */
  readonly journalFolder: string;
  /** Made new; in a folder that is ours alone. */
  readonly socketPath: string;
  /** Whether a token is the one of this host; `unknown`: it has none, and nobody may change anything but by the socket. */
  readonly checkToken: (token: string) => Promise<'right' | 'wrong' | 'unknown'>;
  readonly ask: Rights['ask'];
  /** Told when it cannot listen. Must not throw. */
  readonly onTrouble: (message: string) => void;
}

const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
/** Of the socket, which has none of its own; a browser gets to it by a tunnel. */
const SOCKET_NAMES = [...OWN_NAMES, 'plancton'];

/**
 * A page of somebody else's in a browser of this host may ask for any name that it has pointed here; only ours are answered. On whatever port: a
 * tunnel has another one.
 */
function isNamed({ headers }: IncomingMessage, names: readonly string[]): boolean {
  return names.includes((headers.host ?? '').toLowerCase().replace(/:\d+$/, ''));
}

/** What all users of this host may change: nothing without the token. */
async function controlByToken(
  { headers }: IncomingMessage,
  checkToken: SurfaceOptions['checkToken'],
): Promise<ShownState['control']> {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const found = await checkToken(token);
  if (found === 'unknown') return 'no';
  return found === 'right' ? 'yes' : 'token';
}

class LocalSurface implements Surface {
  readonly #options: SurfaceOptions;
  /** Those at one door keep nobody from the other one. */
  readonly #lives: { readonly socket: Live; readonly address: Live };
  readonly #history: HistoryReader;
  readonly #socket: Door;
  #address: { readonly text: string; readonly door: Door } | undefined;

  constructor(options: SurfaceOptions) {
    this.#options = options;
    const { clock, journalFolder, socketPath, onTrouble } = options;
    this.#lives = { socket: new Live(clock), address: new Live(clock) };
    this.#history = new HistoryReader(journalFolder, clock);
    // Nobody but root gets through to it.
    const mayAsk = (request: IncomingMessage) => isNamed(request, SOCKET_NAMES);
    const make = () => this.#listener({ live: this.#lives.socket, mayAsk, control: () => Promise.resolve('yes') });
    this.#socket = new Door({ clock, make, where: { path: socketPath }, onTrouble });
    this.#socket.tend();
  }

  show(status: Status, address: string | undefined): void {
    this.#history.tidy();
    const watched = Object.values(this.#lives).filter(({ isWatched }) => isWatched);
    const text = watched.length > 0 ? JSON.stringify(status) : '';
    for (const live of watched) live.showStatus(text);
    this.#socket.tend();
    if (address !== this.#address?.text) {
      void this.#address?.door.close();
      this.#address = address === undefined ? undefined : { text: address, door: this.#doorAt(address) };
    }
    this.#address?.door.tend();
  }

  tell(event: DaemonEvent): void {
    for (const live of Object.values(this.#lives)) live.tell(event);
  }

  trouble(): string | undefined {
    return this.#socket.trouble() ?? this.#address?.door.trouble();
  }

  async close(): Promise<void> {
    await Promise.all([this.#socket.close(), this.#address?.door.close()]);
  }

  #listener(doorman: Pick<ListenerOptions, 'live' | 'mayAsk' | 'control'>): Server {
    const { clock, facts, ask } = this.#options;
    const history = () => this.#history.read();
    return createListener({ clock, ask, facts: { ...facts, history }, ...doorman });
  }

  #doorAt(address: string): Door {
    const { clock, onTrouble, checkToken } = this.#options;
    const [host = '', port = ''] = address.split(':');
    const control = (request: IncomingMessage) => controlByToken(request, checkToken);
    const mayAsk = (request: IncomingMessage) => isNamed(request, OWN_NAMES);
    const make = () => this.#listener({ live: this.#lives.address, mayAsk, control });
    return new Door({ clock, make, where: { host, port: Number(port) }, onTrouble });
  }
}

/** Opens the socket at once. Never throws: a daemon that nobody can look at works all the same. */
export function openSurface(options: SurfaceOptions): Surface {
  return new LocalSurface(options);
}
