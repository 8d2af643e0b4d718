import { withoutSecrets } from '../config/redact.js';
import type { Config } from '../config/schema.js';
import { withoutUserinfo } from '../config/source-line.js';
import { parseInfluxTarget } from '../report/influx-target.js';

/** Old values count, too: pilots that were started with them may live for long. */
const MOST_SECRETS = 1000;

type SecretConfig = Pick<Config, 'docker_env' | 'influxdb_url'>;

/** What a configuration has for pilots, and for monitoring, that nobody else is to read. */
export function secretsOf({ docker_env: env, influxdb_url: targets }: SecretConfig): readonly string[] {
  return [...Object.values(env), ...targets.flatMap((target) => parseInfluxTarget(target)?.secrets ?? [])];
}

/** The secrets of all configurations that were in force. */
export class KnownSecrets {
  readonly #values = new Set<string>();

  /** Takes those of the configuration that is in force now. */
  know(config: SecretConfig): void {
    for (const value of secretsOf(config)) {
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
