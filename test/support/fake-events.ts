import { EngineError, type EndsListener } from '../../src/engine/container-engine.js';
import { pilotLabels } from '../../src/engine/pilot-container.js';
import type { PilotEnd } from '../../src/model.js';
import { toPilotEnd, type FakeContainer } from './fake-container.js';

/** The events of a fake engine, with handles to stage what goes wrong. */
export interface FakeEvents {
  /** While true ends are told to nobody and remembered nowhere; streams stay as they are. */
  lost: boolean;
  /** Streams open now. */
  readonly streams: number;
  /** Says that this container has ended, whatever is the case. */
  say(id: string): void;
  /** Breaks all streams, as an engine does that ends. */
  cut(): void;
}

interface ToldEnd {
  readonly id: string;
  readonly atWallMs: number;
  readonly how: PilotEnd | undefined;
}

interface Events extends FakeEvents {
  note(container: FakeContainer, atWallMs: number): void;
  follow(listener: EndsListener): Promise<never>;
}

export function createFakeEvents(wallMs: () => number): Events {
  const remembered: { readonly instance: string | undefined; readonly end: ToldEnd }[] = [];
  const streams = new Map<EndsListener, (error: EngineError) => void>();

  function tell(listener: EndsListener, { id, atWallMs, how }: ToldEnd): void {
    listener.onEnd(id, atWallMs, how);
  }

  function follow(listener: EndsListener): Promise<never> {
    const { instance, sinceWallMs = Infinity, signal, onOpen } = listener;
    return new Promise((_, reject) => {
      const stop = (error: EngineError) => {
        streams.delete(listener);
        reject(error);
      };
      const giveUp = () => {
        stop(new EngineError('timeout', 'Gave up following'));
      };
      if (signal.aborted) {
        giveUp();
        return;
      }
      signal.addEventListener('abort', giveUp, { once: true });
      streams.set(listener, stop);
      onOpen();
      for (const { instance: whose, end } of remembered) {
        if (whose === instance && end.atWallMs >= sinceWallMs) tell(listener, end);
      }
    });
  }

  return {
    lost: false,
    get streams() {
      return streams.size;
    },
    say(id) {
      for (const listener of streams.keys()) tell(listener, { id, atWallMs: wallMs(), how: undefined });
    },
    cut() {
      for (const stop of streams.values()) stop(new EngineError('unreachable', 'The events have ended'));
    },
    note(container, atWallMs) {
      const { id, labels } = container;
      if (this.lost || labels[pilotLabels.managed] !== 'true') return;
      const instance = labels[pilotLabels.instance];
      const end: ToldEnd = { id, atWallMs, how: toPilotEnd(container) };
      remembered.push({ instance, end });
      for (const listener of streams.keys()) if (listener.instance === instance) tell(listener, end);
    },
    follow,
  };
}
