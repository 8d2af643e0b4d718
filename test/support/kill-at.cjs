'use strict';
// Loaded into a daemon that is to be killed at one call: `KILL_AT_FILE`, once it is there, says which, as
// `before renameSync /status\.json$` or `after spawn reset`. What was done is written to the same file with `.done`.
const childProcess = require('node:child_process');
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { existsSync, readFileSync, writeFileSync } = fs;
const file = process.env.KILL_AT_FILE;

function killIf(when, name, args) {
  if (!existsSync(file) || existsSync(`${file}.done`)) return;
  const [wantedWhen, wantedName, pattern] = readFileSync(file, 'utf8').split(' ');
  if (wantedWhen !== when || wantedName !== name) return;
  if (!args.flat().some((arg) => new RegExp(pattern).test(String(arg)))) return;
  writeFileSync(`${file}.done`, String(process.pid));
  process.kill(process.pid, 'SIGKILL');
}

function watch(owner, name) {
  const original = owner[name];
  owner[name] = function (...args) {
    killIf('before', name, args);
    const result = original.apply(this, args);
    killIf('after', name, args);
    return result;
  };
}

// The commands that start and ask the daemon are not it.
if (process.argv.includes('nodaemon')) {
  watch(fs, 'renameSync');
  watch(childProcess, 'spawn');
  syncBuiltinESMExports();
}
