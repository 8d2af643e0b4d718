import type { Config } from './schema.js';
import { withoutUserinfo } from './source-line.js';

const hidden = '…';
/** What is shorter would blot out half of a text. */
const shortestSecret = 6;

/** The configuration for the eyes of people: without passwords and without the values of environment variables. */
export function redactConfig(config: Config): Config {
  const names = Object.keys(config.docker_env);
  return {
    ...config,
    docker_env: Object.fromEntries(names.map((name) => [name, hidden])),
    // InfluxDB also takes user and password in the query.
    influxdb_url: config.influxdb_url.map((url) => withoutUserinfo(url).replace(/\?[^#]*/, `?${hidden}`)),
  };
}

/** A text without these secrets, wherever they stand in it, as JSON too; each line of one that has several is one of its own. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  const lines = [...secrets]
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), ...secret.split('\n')])
    .filter(({ length }) => length >= shortestSecret);
  // One may be the beginning of another.
  const longestFirst = [...new Set(lines)].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((left, secret) => left.replaceAll(secret, hidden), text);
}
