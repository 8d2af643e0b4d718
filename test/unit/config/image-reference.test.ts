import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatImageReference, parseImageReference } from '../../../src/config/image-reference.js';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('image references', () => {
  it.each([
    ['busybox', { name: 'busybox' }],
    ['busybox:1.36', { name: 'busybox', tag: '1.36' }],
    ['registry:5000/group/worker', { name: 'registry:5000/group/worker' }],
    ['registry.example.org:5000/worker:v2', { name: 'registry.example.org:5000/worker', tag: 'v2' }],
    [`worker@${digest}`, { name: 'worker', digest }],
    [`worker:v1@${digest}`, { name: 'worker', tag: 'v1', digest }],
    ['localhost/a/b/c', { name: 'localhost/a/b/c' }],
    ['[::1]:5000/worker:x', { name: '[::1]:5000/worker', tag: 'x' }],
    ['a__b/c-d.e_f', { name: 'a__b/c-d.e_f' }],
  ])('takes %s apart', (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts);
  });

  it.each([
    ['nothing', ''],
    ['upper case in a path', 'Group/Worker:UPPER:x'],
    ['a bare upper-case name', 'BusyBox'],
    ['an empty tag', 'busybox:'],
    ['a tag of 129 characters', `busybox:${'a'.repeat(129)}`],
    ['a short digest', 'busybox@sha256:abc'],
    ['blanks', 'busy box'],
    ['an option', '-busybox'],
    ['a URL', 'https://registry/busybox'],
    ['an image id', '0'.repeat(64)],
    ['an image id in full', digest],
    ['the beginning of an image id', 'sha256:abc123'],
    ['three underscores', 'a___b'],
    ['a trailing slash', 'a/'],
    ['a line break', 'busybox\n'],
  ])('refuses %s', (_what, text) => {
    expect(parseImageReference(text)).toBeUndefined();
  });

  it('get the tag latest only where neither tag nor digest was given', () => {
    const formatted = ['busybox', 'host:5000/busybox', 'busybox:1', `busybox@${digest}`].map((text) =>
      formatImageReference(parseImageReference(text) ?? { name: '' }),
    );
    expect(formatted).toEqual(['busybox:latest', 'host:5000/busybox:latest', 'busybox:1', `busybox@${digest}`]);
  });

  it('survive being taken apart and put together', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,5})?$/);
    const reference = fc.record({
      name: fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.stringMatching(/^\w[\w.-]{0,20}$/),
    });
    fc.assert(
      fc.property(reference, (parts) => {
        expect(parseImageReference(formatImageReference(parts))).toEqual(parts);
      }),
    );
  });

  it('never take long, whatever the text', () => {
    // A backtracking grammar would need ages for these.
    for (const unit of ['a', 'a-', 'a.', '-', 'a/', 'a:']) {
      expect(parseImageReference(`${unit.repeat(1000 / unit.length)}!`)).toBeUndefined();
    }
  });
});
