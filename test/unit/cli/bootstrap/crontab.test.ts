import { expect, test } from 'vitest';
import { readCrontab, withOurLine, withoutOurLine } from '../../../../src/cli/bootstrap/crontab.js';

const command = ['/usr/bin/node', '/opt/planctonctl.js', 'start'];
const line = "@reboot '/usr/bin/node' '/opt/planctonctl.js' 'start' # plancton-bootstrap\n";

test('the line is added once, after all others, however often it is asked for', () => {
  const others = '# mine\n5 4 * * * /bin/true\n';
  const once = withOurLine(others, command);
  expect(once).toBe(others + line);
  expect(withOurLine(once, command)).toBe(once);
});

test('a last line without an end is not glued to ours', () => {
  expect(withOurLine('5 4 * * * /bin/true', command)).toBe(`5 4 * * * /bin/true\n${line}`);
});

test('taking the line away leaves every other line as it was, also those that speak of plancton', () => {
  const others = 'MAILTO=root\n\n@reboot /opt/plancton/bin/planctonctl start\n';
  expect(withoutOurLine(withOurLine(others, command))).toBe(others);
});

test('a path with quotes, spaces and percent signs stays one word for cron', () => {
  expect(withOurLine('', ["/home/o'brien/100% node"])).toBe(
    "@reboot '/home/o'\\''brien/100\\% node' # plancton-bootstrap\n",
  );
});

test.each([
  ['no crontab yet', { exitCode: 1, stdout: '', stderr: 'no crontab for root' }, ''],
  ['no cron at all', { exitCode: 127, stdout: '', stderr: '' }, undefined],
  ['one that is there', { exitCode: 0, stdout: 'x\n', stderr: '' }, 'x\n'],
])('%s is understood', async (_, answer, expected) => {
  expect(await readCrontab({ run: () => Promise.resolve(answer) })).toBe(expected);
});

test('an unreadable crontab is not taken for an empty one', async () => {
  const run = () => Promise.resolve({ exitCode: 1, stdout: '', stderr: 'crontab: must be suid' });
  await expect(readCrontab({ run })).rejects.toThrow('must be suid');
});
