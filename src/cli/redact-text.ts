import { withoutSecrets } from '../config/redact.js';

/** Words for secrets, what stands between them and the secret, and the secret. */
const NAMED =
  /((?:password|passwd|token|secret|authorization)["']?\s*[=:]\s*["']?(?:bearer |basic |token )?)[^\s"',}…]+/gi;

/**
 * A text for the eyes of strangers: without these secrets, without what stands before the `@` or behind the `?` of a URL, and without what follows
 * words for secrets.
 */
export function redactText(text: string, secrets: readonly string[]): string {
  return (
    withoutSecrets(text, secrets)
      // A slash in a password is a slip, but one that people make.
      .replace(/:\/\/[^\s"'<>]*@/g, '://…@')
      .replace(/(https?:\/\/[^\s?#"']*)\?[^\s#"']*/g, '$1?…')
      .replace(NAMED, '$1…')
  );
}
