import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { Docker } from '../../../src/engine/docker-package.js';

const require = createRequire(import.meta.url);

it('is dockerode, without ssh, gRPC and protobuf', () => {
  expect(new Docker({ socketPath: '/run/docker.sock' })).toHaveProperty('listContainers');
  const loaded = Object.keys(require.cache);
  expect(loaded.filter((file) => file.includes('/dockerode/'))).not.toEqual([]);
  expect(loaded.filter((file) => /\/(ssh2|@grpc|protobufjs)\//.test(file))).toEqual([]);
});

it('keeps these from nobody else', () => {
  const ofDockerode = createRequire(require.resolve('dockerode'));
  expect(Object.keys(ofDockerode('protobufjs') as object)).toContain('Root');
});
