import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { formatProblem } from '../../../src/config/problem.js';
import { redactConfig } from '../../../src/config/redact.js';

const host = { ncpus: 8, ramBytes: 16e9, swapBytes: 0 };
const secret = 'hunter2';

function told(text: string): string {
  const result = loadConfig([{ file: 'config.yaml', text }], host);
  const problems = result.ok ? result.warnings : result.problems;
  expect(problems).not.toEqual([]);
  return JSON.stringify(problems) + problems.map((problem) => formatProblem(problem, text)).join('\n');
}

describe('secrets', () => {
  it.each([
    ['a bad URL', `influxdb_url: ftp://me:${secret}@host#db`],
    ['a URL without a database', `influxdb_url: http://me:${secret}@host`],
    ['a URL in a list', `influxdb_url:\n  - http://me:${secret}@host\n`],
    ['a URL under an old name', `influxdb_address: http://me:${secret}@host`],
    ['a URL under a wrong name', `docker_image: http://me:${secret}@host`],
    ['a URL whose password has a slash', `docker_image: http://me:a/${secret}@host`],
    ['a line of a value of several lines', `docker_env:\n TOKEN: |\n  line\n ${secret}: x: y\n`],
    ['a bad variable', `docker_env: {PASS: [${secret}]}`],
    ['a variable in a block', `docker_env:\n  PASS: [${secret}]\n`],
    ['a variable without a name', `docker_env:\n  - =${secret}\n`],
    ['a variable as a key', `docker_env: {PASS=${secret}: yes}`],
    ['a variable given twice', `docker_env:\n  PASS: ${secret}\n  PASS: ${secret}\n`],
    ['a value that looks like an alias', `docker_env:\n  PASS: *${secret}\n`],
    ['a value that looks like a tag', `docker_env:\n  PASS: !${secret}\n`],
    ['a value with an open quote', `docker_env:\n  PASS: "${secret}\n`],
    ['a mistyped key', `docker_envs: {PASS: ${secret}}`],
    ['a mistyped key in a block', `docker-env:\n  PASS: ${secret}\n  BAD: "\n`],
    ['a neighbour on the line', `{main_sleep: soon, docker_env: {PASS: ${secret}}}`],
    ['a shared part', `base: &b {PASS: ${secret}}\ndocker_env: *b\nmain_sleep: soon\n`],
  ])('do not show in what is told about %s', (_what, text) => {
    expect(told(text)).not.toContain(secret);
  });

  it('do not show in the configuration that people see', () => {
    const text = `influxdb_url: ["http://me:${secret}@host#db", "http://host?u=me&p=${secret}#db"]\ndocker_env: {PASS: ${secret}}\n`;
    const result = loadConfig([{ file: 'config.yaml', text }], host);
    if (!result.ok) throw new Error('not valid');
    expect(redactConfig(result.config)).toMatchObject({
      influxdb_url: ['http://…@host#db', 'http://host?…#db'],
      docker_env: { PASS: '…' },
    });
  });

  it('are no reason to hide the line of other keys', () => {
    expect(told('main_sleep: soon # wrong\n')).toContain('\n    main_sleep: soon # wrong\n                ^');
  });

  it('nor can a file steer the terminal it is shown on', () => {
    const text = 'docker_image: "\u009b2J\u202Ex\\e[2J"\n';
    expect(told(text)).not.toMatch(/[\u009b\u202e]/);
  });
});
