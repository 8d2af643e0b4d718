/** One mount, as far as propagation is concerned. */
interface Mount {
  readonly point: string;
  /** Later mounts below it show up in containers that ask for it. */
  readonly propagates: boolean;
}

/** The kernel writes blanks and such in mount points as three octal digits. */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/** Lines of /proc/<pid>/mountinfo: fields 5 (mount point) and, up to a lone dash, 7 and on (propagation); see proc(5). */
function parseMountInfo(mountInfo: string): readonly Mount[] {
  return mountInfo
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => {
      const fields = text.split(' ');
      const optional = fields.slice(6, fields.indexOf('-', 6));
      // In a mount namespace of our own (a hardened service) shared mounts are seen as slaves of the host's.
      const propagates = optional.some((field) => field.startsWith('shared:') || field.startsWith('master:'));
      return { point: unescapePath(fields[4] ?? ''), propagates };
    });
}

function contains(point: string, path: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

/**
 * Those of `paths` that are on a private mount, by the text of /proc/self/mountinfo: the engine refuses to bind them with `rslave` or
 * `rshared`. A path no mount contains is not among them.
 */
export function onPrivateMount(mountInfo: string, paths: readonly string[]): readonly string[] {
  const mounts = parseMountInfo(mountInfo);
  return paths.filter((path) => {
    // The last of the longest is on top.
    let best: Mount | undefined;
    for (const mount of mounts) {
      if (contains(mount.point, path) && mount.point.length >= (best?.point.length ?? 0)) best = mount;
    }
    return best !== undefined && !best.propagates;
  });
}
