import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { codeOf } from '../config/capped-file.js';
import type { Config } from '../config/schema.js';
import { parseBind } from './match-bind.js';

/** Folders of `path` from the top, then `path` itself. */
function stepsTo(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** What is at one step, undefined where there is nothing; or why it cannot be looked at. */
async function look(step: string): Promise<Stats | string | undefined> {
  try {
    return await lstat(step);
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? undefined : `${step} cannot be looked at (${code})`;
  }
}

/** Whether only root and `uid` may change what has these rights. */
export function isSafe({ uid: owner, mode }: Pick<Stats, 'uid' | 'mode'>, uid: number): boolean {
  return (owner === 0 || owner === uid) && (mode & 0o022) === 0;
}

function isOurs({ uid: owner }: Stats, uid: number): boolean {
  return owner === 0 || owner === uid;
}

/**
 * Why what is at `path` could be something else by the time a pilot gets it; undefined: only root and `uid` could change that, or
 * there is nothing yet and only they could make it. `path`: absolute, plain.
 */
export async function unsafePath(path: string, uid: number): Promise<string | undefined> {
  /** Said of a folder like /tmp, where what belongs to root stays what it is, and what does not exist can be made by anybody. */
  let doubt: string | undefined;
  for (const step of stepsTo(path)) {
    const found = await look(step);
    if (typeof found === 'string') return found;
    // What is not there is made by the engine, in a folder that is safe up to here.
    if (found === undefined) return doubt;
    if (found.isSymbolicLink()) return `${step} is a symbolic link; give the path it leads to`;
    if (doubt !== undefined && !isOurs(found, uid)) return doubt;
    if (step === path) return undefined;
    doubt = isSafe(found, uid) ? undefined : `others than root may change what is in ${step}`;
    const isSticky = (found.mode & 0o1000) !== 0 && isOurs(found, uid);
    if (doubt !== undefined && !isSticky) return doubt;
  }
  return undefined;
}

/** Refusals of binds whose source is not safe. `look`: as `unsafePath`, for the user of the daemon; one path at a time. */
export async function unsafeBinds(
  { binds, bind_options: usual }: Pick<Config, 'binds' | 'bind_options'>,
  look: (path: string) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const bind of binds) {
    const why = await look(parseBind(bind, usual).source);
    if (why !== undefined) refused.push(`binds ${bind}: ${why}`);
  }
  return refused;
}
