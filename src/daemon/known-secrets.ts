import { withoutSecrets } from '../config/redact.js';
import type { Config } from '../config/schema.js';
import { withoutUserinfo } from '../config/source-line.js';

/** Old values count, too: pilots that were started with them may live for long. */
const MOST_SECRETS = 1000;

/** What pilots are given in their environment, and nobody else is to read. */
export class KnownSecrets {
  readonly #values = new Set<string>();

  /** Takes the environment that pilots get now. */
  know(env: Config['docker_env']): void {
    for (const value of Object.values(env)) {
      this.#values.add(value);
      const [oldest] = this.#values;
      if (this.#values.size > MOST_SECRETS && oldest !== undefined) this.#values.delete(oldest);
    }
  }

  /** A text of an engine or a pilot for other eyes; engines repeat the address of a proxy with its password. */
  hide(text: string): string {
    return withoutUserinfo(withoutSecrets(text, this.#values));
  }
}
