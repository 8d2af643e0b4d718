import { describe, expect, it } from 'vitest';
import {
  isBranchName,
  isLocalUrl,
  parseConfigRepo,
  redactUrl,
  splitCredentials,
  protocolOf,
} from '../../../src/config/git/git-url.js';

describe('the name of a configuration repository', () => {
  it.each([
    ['mconcas/plancton-conf', { url: 'https://github.com/mconcas/plancton-conf' }],
    ['mconcas/plancton-conf:to-infn/dev', { url: 'https://github.com/mconcas/plancton-conf', branch: 'to-infn/dev' }],
    ['user/repo.with_dots-1', { url: 'https://github.com/user/repo.with_dots-1' }],
    ['https://git.site.org:8443/group/sub/conf.git', { url: 'https://git.site.org:8443/group/sub/conf.git' }],
    ['https://git.site.org/conf.git#site/a', { url: 'https://git.site.org/conf.git', branch: 'site/a' }],
    ['http://10.0.0.7/conf', { url: 'http://10.0.0.7/conf' }],
    ['https://u:p%23x@git.site.org/conf', { url: 'https://u:p%23x@git.site.org/conf' }],
    [
      'ssh://git@git.site.org:2222/srv/conf.git#dev',
      { url: 'ssh://git@git.site.org:2222/srv/conf.git', branch: 'dev' },
    ],
    ['git://[::1]:9418/conf', { url: 'git://[::1]:9418/conf' }],
    ['file:///srv/conf.git', { url: 'file:///srv/conf.git' }],
    ['git@git.site.org:group/conf.git', { url: 'git@git.site.org:group/conf.git' }],
    ['git@host:conf#a/b', { url: 'git@host:conf', branch: 'a/b' }],
    ['git.site.org:conf.git', { url: 'git.site.org:conf.git' }],
    ['/srv/my conf', { url: '/srv/my conf' }],
    ['/srv/conf#main', { url: '/srv/conf', branch: 'main' }],
  ])('is read from %s', (text, expected) => {
    expect(parseConfigRepo(text)).toEqual(expected);
  });

  it.each([
    ['', 'names no repository'],
    ['plancton-conf', 'names no repository'],
    ['./conf', 'names no repository'],
    ['user/..', 'names no repository'],
    ['conf:dev', 'names no repository'],
    ['--upload-pack=touch /tmp/x', 'begins with a dash'],
    ['ext::sh -c id', 'run commands'],
    ['fd::3', 'run commands'],
    ['https://host/conf\n--evil', 'control characters'],
    ['user/repo:a\u001b[2J', 'control characters'],
    ['ftp://host/conf', 'not accepted'],
    ['javascript://host/conf', 'not accepted'],
    ['ssh://-oProxyCommand=id/conf', 'not a'],
    ['git@-oProxyCommand=id:conf', 'names no repository'],
    ['git@host:-conf', 'names no repository'],
    ['https:///conf', 'not a'],
    ['https://host', 'path of the repository is missing'],
    ['https://host/a b', 'no spaces'],
    ['file://host/conf', 'file:///path'],
    ['https://host/conf?private_token=s3cret#main', 'shows in the process list'],
    ['user/repo:', 'no valid name of a branch'],
    ['user/repo:-f', 'no valid name of a branch'],
    ['https://host/conf#a..b', 'no valid name of a branch'],
  ])('is refused with its reason: %j', (text, reason) => {
    const problem = parseConfigRepo(text);
    expect(problem).toBeTypeOf('string');
    expect(problem).toContain(reason);
    expect(problem).toContain('user/repo[:branch]');
  });

  it('never shows credentials when it is refused', () => {
    expect(parseConfigRepo('https://me:hunter2@host/conf#..')).not.toContain('hunter2');
    expect(parseConfigRepo('https://host/conf?token=hunter2')).not.toContain('hunter2');
  });
});

describe('the name of a branch', () => {
  it.each(['main', 'a/b/c', 'v1.2', 'feature_x', 'a-b', 'ünï'])('may be %s', (name) => {
    expect(isBranchName(name)).toBe(true);
  });
  it.each(
    [
      '',
      '-x',
      '@',
      'HEAD',
      '/a',
      'a/',
      'a//b',
      'a..b',
      'a.',
      '.a',
      'a/.b',
      'a.lock',
      'a.lock/b',
      'a@{1}',
      'a b',
      'a~1',
    ].concat(['a^', 'a:b', 'a?', 'a*', 'a[b', 'a\\b', 'a\u007f', 'x'.repeat(201)]),
  )('may not be %j', (name) => {
    expect(isBranchName(name)).toBe(false);
  });
});

describe('credentials in a URL', () => {
  it.each([
    ['https://me:s3cret@host/c', 'https://***@host/c'],
    ['https://s3cret@host/c', 'https://***@host/c'],
    ['https://me:p@s3cret@host:8443/c', 'https://***@host:8443/c'],
    ['https://me:ab/s3cret@host/c', 'https://***@host/c'],
    ['ssh://git:s3cret@host/c', 'ssh://git:***@host/c'],
    ['ssh://git:ab/s3cret@host/c', 'ssh://git:***@host/c'],
    ['ssh://git@host/c', 'ssh://git@host/c'],
    ['git@host:c', 'git@host:c'],
    [`https://me:s'3"cret@host/c`, 'https://***@host/c'],
    ['https://host/c?private_token=s3cret#main', 'https://host/c?***#main'],
    [
      "fatal: 'http://a:s3cret@h/x' and https://s3cret@h/y failed",
      "fatal: 'http://***@h/x' and https://***@h/y failed",
    ],
    ['proxy http://a:s3cret@proxy:3128 said no', 'proxy http://***@proxy:3128 said no'],
  ])('are hidden: %s', (text, expected) => {
    expect(redactUrl(text)).toBe(expected);
  });

  it.each([
    ['https://me:tok@host:8443/c.git', { url: 'https://host:8443/c.git', credential: 'https://me:tok@host:8443' }],
    ['http://tok@host/c', { url: 'http://host/c', credential: 'http://tok:@host' }],
    ['https://host/c', { url: 'https://host/c' }],
    ['ssh://git@host/c', { url: 'ssh://git@host/c' }],
  ])('are taken out of %s', (url, expected) => {
    expect(splitCredentials(url)).toEqual(expected);
  });
});

it.each([
  ['/srv/conf', true],
  ['file:///srv/conf', true],
  ['../conf', true],
  ['git@host:conf', false],
  ['host:conf', false],
  ['https://host/conf', false],
  ['git://host/conf', false],
])('knows whether asking %s costs network: local %s', (url, local) => {
  expect(isLocalUrl(url)).toBe(local);
});

describe('the protocol of a repository', () => {
  it.each([
    ['https://h/r', 'https'],
    ['HTTP://h/r', 'http'],
    ['git://h/r', 'git'],
    ['ssh://git@h/r', 'ssh'],
    ['git@h:r.git', 'ssh'],
    ['file:///r', 'file'],
    ['/r', 'file'],
  ])('of %s is %s', (url, protocol) => {
    expect(protocolOf(url)).toBe(protocol);
  });
});
