/** One InfluxDB database to write to. */
export interface InfluxTarget {
  /** For messages: where, without credentials. */
  readonly label: string;
  /** Without credentials and without a slash at the end. */
  readonly baseUrl: string;
  readonly database: string;
  /** Value of the `Authorization` header. */
  readonly authorization: string | undefined;
  readonly verifyTls: boolean;
}

/**
 * Reads `URL#database`; `insecure_https://` is https without a look at the certificate, and the URL may carry
 * `user:password@`. Undefined when it is anything else.
 */
export function parseInfluxTarget(text: string): InfluxTarget | undefined {
  const [, scheme = '', rest = '', database = ''] = /^(https?|insecure_https):\/\/([^#]+)#(.+)$/.exec(text) ?? [];
  const address = `${scheme.replace('insecure_', '')}://${rest}`;
  if (database === '' || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const baseUrl = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return {
    label: `${baseUrl}#${database}`,
    baseUrl,
    database,
    authorization: url.username === '' ? undefined : basicAuthorization(url.username, url.password),
    verifyTls: scheme !== 'insecure_https',
  };
}

function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${percentDecoded(user)}:${percentDecoded(password)}`).toString('base64')}`;
}

/** A lone percent sign is meant as such. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
