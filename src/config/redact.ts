import type { Config } from './schema.js';
import { withoutUserinfo } from './source-line.js';

const hidden = '…';

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
