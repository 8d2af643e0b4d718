import { defineConfig } from 'vitest/config';

// `fast` needs nothing but Node; `real` has a private Docker Engine, started once by its global set-up.
export default defineConfig({
  test: {
    reporters: ['default', './.config/count-reporter.ts'],
    restoreMocks: true,
    // What is waited for comes when the machine lets it.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/unit/**/*.test.ts', 'test/scenario/**/*.test.ts', 'test/model/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // Each test feeds a reader with many thousands of inputs; PLANCTON_FUZZ_INPUTS says how many.
        test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 3_600_000 },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/support/global-engine.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
