import { defineConfig } from 'vitest/config';

// Like tests, so that they can use the same private engine and the same clean-up; each starts an engine of its own.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/faults/*.faults.ts'],
    fileParallelism: false,
    disableConsoleIntercept: true,
    testTimeout: 7_200_000,
    hookTimeout: 300_000,
  },
});
