import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLogOutput, type LogPlan } from '../../../src/cli/log-output.js';
import { RotatingFile } from '../../../src/cli/rotating-file.js';
import { createLogger } from '../../../src/report/logger.js';
import { tempDirectory } from '../../support/temp-directory.js';

function aPlan(overrides: Partial<LogPlan> = {}): LogPlan & { readonly lines: string[] } {
  const lines: string[] = [];
  const file = join(tempDirectory(), 'plancton.log');
  return { format: 'text', target: 'file-and-stdout', file, stdout: (text) => lines.push(text), lines, ...overrides };
}

describe('the log', () => {
  it('reads like the log of the original, on stdout and in the file', () => {
    const plan = aPlan();
    const output = openLogOutput(plan);
    createLogger('info', output).info({ pilot: 'p1', cpus: 1.5, limits: ['a b'] }, 'pilot started');
    output.close();
    const pattern = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d plancton INFO pilot started pilot=p1 cpus=1.5 limits=\["a b"\]\n$/;
    expect(plan.lines).toEqual([expect.stringMatching(pattern)]);
    expect(readFileSync(plan.file, 'utf8')).toBe(plan.lines.join(''));
  });

  it('tells the journal the severity and leaves time and file to it', () => {
    const plan = aPlan({ target: 'journal' });
    const output = openLogOutput(plan);
    const logger = createLogger('debug', output);
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
    output.close();
    expect(plan.lines).toEqual(['<7>d\n', '<6>i\n', '<4>w\n', '<3>e\n']);
    expect(existsSync(plan.file)).toBe(false);
  });

  it('says nothing on stdout in the background', () => {
    const plan = aPlan({ target: 'file' });
    const output = openLogOutput(plan);
    createLogger('info', output).info('hello');
    expect(plan.lines).toEqual([]);
    expect(readFileSync(plan.file, 'utf8')).toContain('hello');
  });

  it('writes JSON when asked to', () => {
    const plan = aPlan({ format: 'json' });
    createLogger('info', openLogOutput(plan)).info({ pilot: 'p1' }, 'pilot started');
    expect(JSON.parse(plan.lines.join(''))).toMatchObject({ level: 30, msg: 'pilot started', pilot: 'p1' });
  });

  it('keeps every record on one line and control characters off the terminal', () => {
    const plan = aPlan();
    const logger = createLogger('info', openLogOutput(plan));
    logger.warn({ error: 'evil \u001b[2J\nplancton INFO all is well \u009b' }, 'refused');
    expect(plan.lines).toHaveLength(1);
    expect(plan.lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u);
  });

  it('leaves out what is below its level', () => {
    const plan = aPlan();
    createLogger('warn', openLogOutput(plan)).info('quiet');
    expect(plan.lines).toEqual([]);
  });

  it('goes on in a new file when it is reopened after a rotation from outside', () => {
    const plan = aPlan();
    const output = openLogOutput(plan);
    const logger = createLogger('info', output);
    logger.info('first');
    renameSync(plan.file, `${plan.file}.old`);
    logger.info('second');
    output.reopen();
    logger.info('third');
    expect(readFileSync(`${plan.file}.old`, 'utf8')).toMatch(/first[^]*second/);
    expect(readFileSync(plan.file, 'utf8')).toMatch(/third/);
  });

  it('ends with 73 and names the file that cannot be opened', () => {
    const file = join(tempDirectory(), 'taken');
    mkdirSync(file);
    expect(() => openLogOutput(aPlan({ file }))).toThrow(
      expect.objectContaining({ exitCode: 73, message: expect.stringContaining(file) as string }),
    );
  });
});

describe('a rotating file', () => {
  it('moves full files on, loses no line, and keeps no more than asked', () => {
    const path = join(tempDirectory(), 'log');
    const file = new RotatingFile(path, { maxBytes: 20, keep: 2 });
    for (let line = 1; line <= 9; line += 1) file.write(`line number ${line}\n`);
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('line number 9\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('line number 7\nline number 8\n');
    expect(readFileSync(`${path}.2`, 'utf8')).toBe('line number 5\nline number 6\n');
    expect(existsSync(`${path}.3`)).toBe(false);
  });

  it('continues an earlier file and counts what is in it', () => {
    const path = join(tempDirectory(), 'log');
    for (const text of ['first run, a long line\n', 'second run\n']) {
      const file = new RotatingFile(path, { maxBytes: 20, keep: 2 });
      file.write(text);
      file.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('second run\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('first run, a long line\n');
  });

  it('does not throw when the disk is full, and tries the next line again', () => {
    const file = new RotatingFile('/dev/full', { maxBytes: 1000, keep: 1 });
    file.write('lost\n');
    file.write('lost too\n');
    file.close();
  });
});
