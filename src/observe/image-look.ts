import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import type { ContainerEngine } from '../engine/container-engine.js';
import type { HostImage, Outcome, Resources } from '../model.js';

/** Images age by days: what others do to them may be seen this late. */
const USUAL_SPAN_MS = 3_600_000;
/** A daemon that has just come has pilots to start first. */
const FIRST_SPAN_MS = 60_000;
/** Where the disk is short of room, a container may have ended meanwhile that had kept an image. */
const SHORT_OF_DISK_SPAN_MS = 300_000;

interface ImageLookOptions {
  readonly clock: Clock;
  readonly engine: Pick<ContainerEngine, 'listImages'>;
  readonly instance: string;
}

/**
 * Looks at the images of the host now and then: after a minute, after a pull or a removal, and then seldom, since it is no small question to an engine
 * that has many. Beside the loop: what was found is handed out once, in a later observation.
 */
export class ImageLook {
  readonly #options: ImageLookOptions;
  #dueMs: number;
  #begunMs = -Infinity;
  #looking = false;
  #found: readonly HostImage[] | undefined;

  constructor(options: ImageLookOptions) {
    this.#options = options;
    this.#dueMs = options.clock.now().monoMs + FIRST_SPAN_MS;
  }

  /** Takes the outcomes of actions: some make the next look due. */
  note(outcomes: readonly Outcome[]): void {
    const isNews = ({ action, result }: Outcome) =>
      result === 'done' && (action.type === 'pull' || action.type === 'drop-image');
    if (outcomes.some(isNews)) [this.#dueMs, this.#begunMs] = [-Infinity, -Infinity];
  }

  /** To be called when the disk has just been looked at, so that both belong together. */
  beginIfDue(config: Config, disk: Resources['disk']): void {
    const { clock, engine, instance } = this.#options;
    const isShort = disk !== null && disk !== undefined && disk.freeBytes < config.min_free_disk;
    const spanMs = isShort ? SHORT_OF_DISK_SPAN_MS : USUAL_SPAN_MS;
    const { monoMs } = clock.now();
    if (this.#looking || config.image_keep === 'never') return;
    if (monoMs < this.#dueMs || monoMs - this.#begunMs < spanMs) return;
    this.#begunMs = monoMs;
    this.#looking = true;
    const finish = (found: readonly HostImage[] | undefined) => {
      this.#looking = false;
      this.#found = found;
    };
    // An engine in trouble is told of elsewhere; the next look is as good.
    void engine.listImages(instance).then(finish, () => {
      finish(undefined);
    });
  }

  /** What the last look has found, once; undefined = nothing new. */
  take(): readonly HostImage[] | undefined {
    const found = this.#found;
    this.#found = undefined;
    return found;
  }
}
