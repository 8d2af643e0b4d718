/** Where a configuration repository is and which of its branches to follow (undefined: the server's own choice). */
export interface ConfigRepo {
  readonly url: string;
  readonly branch?: string;
}

const ACCEPTED =
  'give user/repo[:branch] for GitHub, a https://, http://, ssh://, git:// or file:// URL, git@host:path, ' +
  'or an absolute path; all but the first take a branch as #branch';

/** The rules of `git check-ref-format --branch`: what fails here could be read by git as an option or an expression. */
export function isBranchName(name: string): boolean {
  if (name.length === 0 || name.length > 200 || name === '@' || name === 'HEAD') return false;
  if (/^[-/]|[/.]$|\/\/|\.\.|@\{/.test(name)) return false;
  if (/[\p{Cc} ~^:?*[\\]/u.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** Splits `base#branch` (or `base:branch`) at `at`, the index of the separator; -1 = there is none. */
function splitAt(text: string, at: number): { base: string; branch: string | undefined } {
  return at < 0 ? { base: text, branch: undefined } : { base: text.slice(0, at), branch: text.slice(at + 1) };
}

/** Why the URL cannot be used, or undefined when it can. */
function problemOfUrl(url: string): string | undefined {
  if (/\s/.test(url)) return 'a URL holds no spaces';
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return 'this is not a URL (in a password / is written %2F and @ %40)';
  }
  const local = parsed.protocol === 'file:';
  if (local && parsed.hostname !== '') return 'a file URL names no host: write file:///path';
  // Node's parser skips extra slashes, git does not.
  if (!local && (/^\w+:\/\/\//.test(url) || !/^\[?[a-z0-9:]/i.test(parsed.hostname)))
    return 'the host is missing or is not a host name';
  if (parsed.pathname.length < 2) return 'the path of the repository is missing';
  // It would be in the process list for as long as git runs; user and password are kept apart.
  if (!local && parsed.search !== '')
    return 'a query (?...) shows in the process list; have git read the token from a file, as plancton-bootstrap --help says, or write user:TOKEN@ before the host';
  return undefined;
}

/** Finds which of the accepted forms the text has; a string is the problem with it. */
function readForm(text: string): { url: string; branch: string | undefined } | string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const { base, branch } = splitAt(text, text.lastIndexOf('#'));
    if (!/^(https?|ssh|git|file):/i.test(base)) return 'this kind of URL is not accepted';
    return problemOfUrl(base) ?? { url: base, branch };
  }
  if (text.startsWith('/')) {
    const { base, branch } = splitAt(text, text.lastIndexOf('#'));
    return { url: base, branch };
  }
  const github = /^(?<owner>[a-z0-9][a-z0-9-]*)\/(?<name>[a-z0-9._-]+)(?:[:#](?<branch>.*))?$/i.exec(text)?.groups;
  if (github?.['name'] !== undefined && !/^\.+$/.test(github['name'])) {
    return { url: `https://github.com/${String(github['owner'])}/${github['name']}`, branch: github['branch'] };
  }
  // Without a user the host needs a dot: `conf:dev` is a slip, not a host called "conf".
  if (/^([\w.-]+@([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])|[a-z0-9][a-z0-9-]*\.[a-z0-9.-]+):[^-\s]/i.test(text)) {
    const { base, branch } = splitAt(text, text.lastIndexOf('#'));
    return /\s/.test(base) ? 'the path holds no spaces' : { url: base, branch };
  }
  return 'this names no repository';
}

/** Reads what a person types to name a configuration repository; a string is the sentence that says what is wrong. */
export function parseConfigRepo(text: string): ConfigRepo | string {
  // Nothing is echoed that could change what a terminal or a log shows.
  if (/\p{Cc}/u.test(text)) return `The repository holds control characters or line breaks: ${ACCEPTED}.`;
  const refuse = (why: string) => `Repository "${redactUrl(text.slice(0, 200))}": ${why}; ${ACCEPTED}.`;
  if (text.length > 2000) return refuse('this is too long');
  if (text.startsWith('-')) return refuse('it begins with a dash and would be read as an option');
  if (/^[\w+.-]+::/.test(text)) return refuse('transport helpers such as ext:: run commands and are not accepted');
  const form = readForm(text);
  if (typeof form === 'string') return refuse(form);
  if (form.branch === undefined) return { url: form.url };
  if (!isBranchName(form.branch)) return refuse(`"${form.branch}" is no valid name of a branch`);
  return { url: form.url, branch: form.branch };
}

/**
 * Hides credentials in a URL, or in every URL inside a longer text; the user of an ssh URL stays, it is no secret. All up to the last @ of a word is
 * hidden: people forget that a slash in a password has to be written as %2F.
 */
export function redactUrl(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*):\/\/(\S{0,2000}|[^\s/]*)@/gi, (_, scheme: string, user: string) => {
      const shown = scheme.toLowerCase() === 'ssh' ? user.replace(/:.*/s, ':***') : '***';
      return `${scheme}://${shown}@`;
    })
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s?#]*\?)[^\s#]+/gi, '$1***');
}

/** A https or http URL without its credentials, and these as one line for git's credential store. */
export function splitCredentials(url: string): { readonly url: string; readonly credential?: string } {
  const match = /^(https?:\/\/)([^/?#]*)@([^/?#@]+)(.*)$/is.exec(url);
  if (!match) return { url };
  const [, scheme = '', userinfo = '', host = '', rest = ''] = match;
  const credential = `${scheme.toLowerCase()}${userinfo.includes(':') ? userinfo : `${userinfo}:`}@${host}`;
  return { url: `${scheme}${host}${rest}`, credential };
}

/** Whether asking this repository costs no network. */
export function isLocalUrl(url: string): boolean {
  return /^file:\/\//i.test(url) || !/^([a-z][a-z0-9+.-]*:\/\/|[^/]*:)/i.test(url);
}

/** What git speaks with this repository, as `GIT_ALLOW_PROTOCOL` calls it. */
export function protocolOf(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  return scheme ?? (isLocalUrl(url) ? 'file' : 'ssh');
}
