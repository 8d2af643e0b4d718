import fc from 'fast-check';
import type { Resources } from '../../src/model.js';

/** Each of these may not be there, or not be known, or be anything; most hosts have enough. */
export const anyResources: fc.Arbitrary<Resources> = fc.record({
  memory: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(null, undefined) },
    {
      weight: 8,
      arbitrary: fc.record({
        availableBytes: fc.oneof(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 64e9 })),
        pilotsBytes: fc.integer({ min: 0, max: 32e9 }),
      }),
    },
  ),
  disk: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(null, undefined) },
    {
      weight: 8,
      arbitrary: fc.record({
        freeBytes: fc.constantFrom(0, 999_999_999, 1_000_000_000, 1e12, 1e12),
        totalBytes: fc.constant(2e12),
        freeInodes: fc.constantFrom(0, 99, 100, 5000, 5000),
        totalInodes: fc.constantFrom(0, 10_000),
      }),
    },
  ),
  pressure: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(null, undefined) },
    {
      weight: 8,
      arbitrary: fc.record({
        memorySome10: fc.constantFrom(0, 9, 10, 90),
        memorySome60: fc.constantFrom(0, 0, 0, 9, 10, 90),
        ioFull60: fc.constantFrom(0, 0, 0, 39, 40, 90),
      }),
    },
  ),
  tasks: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(null, undefined) },
    {
      weight: 8,
      arbitrary: fc.record({ count: fc.constantFrom(200, 200, 899, 900), most: fc.constantFrom(1000, 1000, 1e6) }),
    },
  ),
});
