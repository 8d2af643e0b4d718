'use strict';
// Loaded into a daemon that is measured: on SIGWINCH it collects garbage and writes what is left, in bytes, to a file.
const { writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGWINCH', () => {
  collect();
  writeFileSync(process.env.HEAP_PROBE_FILE, String(process.memoryUsage().heapUsed));
});
