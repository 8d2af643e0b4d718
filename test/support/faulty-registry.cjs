'use strict';
// A registry that is not well: passes requests on to a good one, whose `host:port` is its argument, and spoils what comes back. Which answers
// and how is told on its standard input, a line each: `manifests 429`, `blobs truncated`, `nothing`. Tells its own address in the first line that it
// prints, and then every request.
const http = require('node:http');
const { createInterface } = require('node:readline');

const [host, port] = process.argv[2].split(':');
const dripMs = 200;
const dripBytes = 40_000;

const errors = {
  401: ['UNAUTHORIZED', 'authentication required'],
  404: ['MANIFEST_UNKNOWN', 'manifest unknown'],
  429: ['TOOMANYREQUESTS', 'You have reached your pull rate limit.'],
  500: ['UNKNOWN', 'the storage is broken'],
  503: ['UNAVAILABLE', 'under maintenance'],
};

let spoilt = '';
let how = '';

createInterface({ input: process.stdin }).on('line', (line) => {
  [spoilt, how = ''] = line.split(' ');
});

function refuse(reply) {
  const [code, message] = errors[how];
  reply.writeHead(Number(how), { 'Content-Type': 'application/json' });
  reply.end(JSON.stringify({ errors: [{ code, message }] }));
}

function drip(reply, body) {
  if (reply.destroyed) return;
  if (body.length <= dripBytes) {
    reply.end(body);
    return;
  }
  reply.write(body.subarray(0, dripBytes));
  setTimeout(drip, dripMs, reply, body.subarray(dripBytes));
}

/** The answers that begin well. */
const endings = {
  truncated: (reply, body) => reply.write(body.subarray(0, body.length >> 1), () => reply.destroy()),
  stalled: (reply, body) => reply.write(body.subarray(0, body.length >> 1)),
  altered: (reply, body) => reply.end(Buffer.from(body).fill(0, body.length >> 1)),
  slow: drip,
};

const server = http.createServer((request, reply) => {
  const { method, url, headers } = request;
  process.stdout.write(`${method} ${url}\n`);
  const struck = url.includes(`/${spoilt}/`);
  if (struck && how === 'hang') return;
  if (struck && how in errors) {
    refuse(reply);
    return;
  }
  const end = struck && method === 'GET' ? endings[how] : (to, body) => to.end(body);
  const passed = http.request({ host, port, method, path: url, headers }, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => {
      reply.writeHead(answer.statusCode, answer.headers);
      end(reply, Buffer.concat(parts));
    });
  });
  passed.on('error', () => reply.destroy());
  request.pipe(passed);
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`127.0.0.1:${server.address().port}\n`);
});
