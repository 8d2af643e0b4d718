'use strict';
// Loaded into a daemon: one of its threads waits, in the file system, for what never comes, as it does for a file server that is away.
const { execFileSync } = require('node:child_process');
const { open } = require('node:fs');

if (process.argv.includes('nodaemon')) {
  execFileSync('mkfifo', [process.env.HANG_THREAD_AT]);
  open(process.env.HANG_THREAD_AT, 'r', () => undefined);
}
