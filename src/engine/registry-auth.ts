import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { EngineError } from './container-engine.js';

/** Credentials in the shape the engine wants them. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

const dockerHub = 'https://index.docker.io/v1/';
const largestFileBytes = 1024 * 1024;

/**
 * Looks up the credentials for an image (`registry.example:5000/group/worker`) in a file of Docker's `config.json` format;
 * undefined when there is no file or nothing for that registry. Credential helpers are not run. Rejects with `forbidden` when
 * anybody else could have read or written the file, with `malformed` when it is not of that format; never tells its content.
 */
export async function readRegistryAuth(file: string, imageName: string): Promise<RegistryAuth | undefined> {
  const text = await readPrivateFile(file);
  if (text === undefined) return undefined;
  const auths = fieldsOf(fieldsOf(parse(file, text))?.['auths']) ?? {};
  const server = registryOf(imageName);
  const key = Object.hasOwn(auths, server)
    ? server
    : Object.keys(auths).find((candidate) => hostOf(candidate) === server);
  const entry = key === undefined ? undefined : fieldsOf(auths[key]);
  return entry === undefined ? undefined : toAuth(file, server, entry);
}

async function readPrivateFile(file: string): Promise<string | undefined> {
  // Not blocking: opening a named pipe would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    if (fieldsOf(error)?.['code'] === 'ENOENT') return undefined;
    throw new EngineError('forbidden', `Cannot read the registry credentials in ${file}`, { cause: error });
  });
  if (handle === undefined) return undefined;
  try {
    const { uid, mode, size } = await handle.stat();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > largestFileBytes) {
      throw new EngineError('malformed', `${file} is not a file of registry credentials`);
    }
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
      const cure = `chown it to the user Plancton runs as and chmod 600 ${file}`;
      throw new EngineError(
        'forbidden',
        `Registry credentials in ${file} must belong to us and be readable by nobody else: ${cure}`,
      );
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the file.
    throw new EngineError('malformed', `${file} is not valid JSON; expected the format of Docker's config.json`);
  }
}

/** The first part of a name is a registry when it could not be a folder on Docker Hub. */
function registryOf(imageName: string): string {
  const [first = '', ...rest] = imageName.split('/');
  const isHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  return !isHost || first === 'docker.io' || first === 'index.docker.io' ? dockerHub : first;
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
}

function toAuth(file: string, serveraddress: string, entry: Readonly<Record<string, unknown>>): RegistryAuth {
  const { auth, username, password, identitytoken } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identitytoken, serveraddress };
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    // Some tools pad the password with zero bytes.
    if (colon > 0) {
      return {
        username: decoded.slice(0, colon),
        password: decoded.slice(colon + 1).replace(/\0+$/, ''),
        serveraddress,
      };
    }
  }
  if (typeof username === 'string' && typeof password === 'string') return { username, password, serveraddress };
  throw new EngineError(
    'malformed',
    `${file} has no usable "auth" for ${serveraddress}; log in to it again with docker login`,
  );
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
