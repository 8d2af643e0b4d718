import { createRequire } from 'node:module';
import type Dockerode from 'dockerode';

/** Loads dockerode without what it needs for ssh and BuildKit only: a quarter of a second, and 10 MB, of each start of the daemon. */
function load(): typeof Dockerode {
  const require = createRequire(import.meta.url);
  const ofDockerode = createRequire(require.resolve('dockerode'));
  const ofModem = createRequire(ofDockerode.resolve('docker-modem'));
  const unused = [
    ...filesOf(ofModem, ['ssh2']),
    ...filesOf(ofDockerode, ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs']),
  ];
  const { cache } = require;
  for (const file of unused) cache[file] = emptyModule(file);
  try {
    return require('dockerode') as typeof Dockerode;
  } finally {
    // Whoever else asks for one of these gets it.
    for (const file of unused) Reflect.deleteProperty(cache, file);
  }
}

/** What these packages would be loaded from, as far as they are there: another version may do without. */
function filesOf(from: NodeJS.Require, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    try {
      return [from.resolve(name)];
    } catch {
      return [];
    }
  });
}

/** What a module that exports nothing leaves behind. */
function emptyModule(file: string): NodeJS.Module {
  const nothing: Partial<NodeJS.Module> = {
    id: file,
    filename: file,
    loaded: true,
    exports: {},
    children: [],
    paths: [],
  };
  return nothing as NodeJS.Module;
}

/** The class of dockerode's clients, for Unix sockets and TCP. */
export const Docker = load();
