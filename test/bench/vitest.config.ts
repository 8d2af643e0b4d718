import { defineConfig } from 'vitest/config';

// Measurements run like tests, so that they can use the same private engine and the same clean-up.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/bench/*.bench.ts'],
    globalSetup: ['test/support/global-engine.ts'],
    fileParallelism: false,
    disableConsoleIntercept: true,
    testTimeout: 7_200_000,
    hookTimeout: 300_000,
  },
});
