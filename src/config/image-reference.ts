/** A reference to a container image, taken apart. At least one of tag and digest when it came from an engine call. */
export interface ImageReference {
  /** Registry host, port and path, as written: `registry.example:5000/group/worker`. */
  readonly name: string;
  readonly tag?: string;
  /** `algorithm:hex`. */
  readonly digest?: string;
}

// The grammar of the distribution project (reference/regexp.go): `host[:port]/path[:tag][@digest]`.
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const host = String.raw`(?:${label}(?:\.${label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const namePattern = `(?:${host}/)?${component}(?:/${component})*`;
const tagPattern = String.raw`[\w][\w.-]{0,127}`;
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const referencePattern = new RegExp(`^(${namePattern})(?::(${tagPattern}))?(?:@(${digestPattern}))?$`);

const maxNameLength = 255;
const maxReferenceLength = 1024;

/** Takes `name[:tag][@digest]` apart; undefined when the engine would not accept it. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > maxReferenceLength) return undefined;
  const [, name, tag, digest] = referencePattern.exec(text) ?? [];
  if (name === undefined || name.length > maxNameLength) return undefined;
  // To the engine these are the id of an image, or its beginning, and no name: a policy could not tell which image that is.
  if (/^[a-f0-9]{64}$/.test(name) || name === 'sha256') return undefined;
  return { name, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The reference in full; without tag and digest it gets the tag `latest`, as the engine does. */
export function formatImageReference({ name, tag, digest }: ImageReference): string {
  const shownTag = tag ?? (digest === undefined ? 'latest' : undefined);
  return name + (shownTag === undefined ? '' : `:${shownTag}`) + (digest === undefined ? '' : `@${digest}`);
}
