import { describe, expect, it } from 'vitest';
import { allowsImage } from '../../../src/policy/match-image.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('an entry of the allowed images', () => {
  it.each([
    ['busybox', 'busybox'],
    ['busybox', 'busybox:1.36'],
    ['busybox', 'docker.io/library/busybox'],
    ['busybox', 'index.docker.io/library/busybox:latest'],
    ['docker.io/busybox', 'busybox'],
    ['busybox', `busybox@${digest}`],
    ['busybox:latest', 'busybox'],
    [`busybox@${digest}`, `busybox:whatever@${digest}`],
    ['alisw/slc6-builder', 'alisw/slc6-builder:v2'],
    ['registry.example.org:5000/team/*', 'registry.example.org:5000/team/worker:1'],
    ['registry.example.org/team/*', 'registry.example.org/team/a/b'],
    ['registry.example.org/*', 'registry.example.org/x'],
    ['docker.io/*', 'someone/worker'],
    ['library/*', 'busybox'],
    ['*', 'evil.example/x'],
  ])('%s allows %s', (entry, image) => {
    expect(allowsImage(entry, image)).toBe(true);
  });

  it.each([
    ['busybox', 'busybox2'],
    ['busybox', 'evil/busybox'],
    ['busybox', 'evil.org/library/busybox'],
    ['busybox:1', 'busybox:2'],
    ['busybox:1', 'busybox'],
    ['busybox:latest', `busybox:latest@${digest}`],
    [`busybox@${digest}`, 'busybox'],
    [`busybox@${digest}`, `busybox@sha256:${'b'.repeat(64)}`],
    ['reg.org/a', 'reg.org.evil/a'],
    ['reg.org/a', 'reg.org/ab'],
    ['reg.org/a', 'reg.org/a/b'],
    ['reg.org/a', 'reg.org:5000/a'],
    ['reg.org/a/*', 'reg.org/ab'],
    ['reg.org/a/*', 'reg.org/a'],
    ['reg.org/*', 'reg.org.evil/x'],
    ['reg.org/*', 'reg.org:443/x'],
    ['localhost/*', 'localhost:5000/x'],
    ['docker.io/*', 'docker.io.evil/x'],
    ['*', 'not a reference'],
    ['*', 'a'.repeat(64)],
  ])('%s does not allow %s', (entry, image) => {
    expect(allowsImage(entry, image)).toBe(false);
  });
});
