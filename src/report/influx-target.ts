/** One InfluxDB database, or bucket, to write to. */
export interface InfluxTarget {
  /** For messages: where, without credentials. */
  readonly label: string;
  /** Without credentials and without a slash at the end. */
  readonly baseUrl: string;
  /** Where points go, below the base. */
  readonly writePath: string;
  readonly database: string;
  /** Whether a database that is not there may be asked for: InfluxDB 2 wants to know more of a bucket, and 3 makes its databases itself. */
  readonly mayCreate: boolean;
  /** Value of the `Authorization` header. */
  readonly authorization: string | undefined;
  /** What nobody else is to read: token or password, and what is sent for it. */
  readonly secrets: readonly string[];
  readonly verifyTls: boolean;
}

type Credentials = Pick<InfluxTarget, 'authorization' | 'secrets'>;
type Dialect = Credentials & Pick<InfluxTarget, 'label' | 'writePath' | 'mayCreate'>;

/**
 * Reads `URL#database`; `insecure_https://` is https without a look at the certificate. InfluxDB 1: the URL may carry `user:password@`, or `?u=user&p=password`. With
 * `?org=NAME` InfluxDB 2, whose bucket stands for the database; with `?version=3` InfluxDB 3; of both the URL may carry `:TOKEN@`. Undefined when it is anything else.
 */
export function parseInfluxTarget(text: string): InfluxTarget | undefined {
  const [, scheme = '', rest = '', database = ''] = /^(https?|insecure_https):\/\/([^#]+)#(.+)$/.exec(text) ?? [];
  const address = `${scheme.replace('insecure_', '')}://${rest}`;
  if (database === '' || /\p{Cs}/u.test(database) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const baseUrl = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  const dialect = dialectOf(url, `${baseUrl}#${database}`, database);
  return { baseUrl, database, verifyTls: scheme !== 'insecure_https', ...dialect };
}

function dialectOf({ username, password, searchParams }: URL, where: string, database: string): Dialect {
  const name = encodeURIComponent(database);
  const org = searchParams.get('org');
  // Some write it in the place of the user.
  const token = percentDecoded(password === '' ? username : password);
  if (org !== null) {
    const writePath = `/api/v2/write?org=${encodeURIComponent(org)}&bucket=${name}&precision=ns`;
    return { label: `${where} (org ${org})`, writePath, mayCreate: false, ...tokenAs('Token', token) };
  }
  if (searchParams.get('version') === '3') {
    const writePath = `/api/v3/write_lp?db=${name}&precision=nanosecond`;
    return { label: `${where} (version 3)`, writePath, mayCreate: false, ...tokenAs('Bearer', token) };
  }
  const user = username === '' ? (searchParams.get('u') ?? '') : percentDecoded(username);
  const secret = username === '' ? (searchParams.get('p') ?? '') : percentDecoded(password);
  return { label: where, writePath: `/write?db=${name}`, mayCreate: true, ...passwordOf(user, secret) };
}

function tokenAs(scheme: string, token: string): Credentials {
  if (token === '') return { authorization: undefined, secrets: [] };
  return { authorization: `${scheme} ${token}`, secrets: [token] };
}

function passwordOf(user: string, password: string): Credentials {
  if (user === '') return { authorization: undefined, secrets: [] };
  const sent = Buffer.from(`${user}:${password}`).toString('base64');
  return { authorization: `Basic ${sent}`, secrets: [sent, password] };
}

/** A lone percent sign is meant as such. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
