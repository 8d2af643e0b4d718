#!/usr/bin/env node
// A URL with a password is no sight for other users of the host.
process.title = 'plancton-bootstrap';
await import('../dist/cli/plancton-bootstrap.js');
