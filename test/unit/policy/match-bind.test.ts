import { describe, expect, it } from 'vitest';
import { alwaysRefused, parseBind, refusedBind, writtenNeeds } from '../../../src/policy/match-bind.js';

const own = { hidden: ['/srv/plancton/run', '/srv/engine.sock'], readOnly: ['/opt/program', '/conf'] };
const always = (bind: string) => alwaysRefused(parseBind(bind, 'rw'), own);

describe('what pilots never get', () => {
  it.each([
    '/:/host:ro',
    '//:/host:ro',
    '/./:/host:ro',
    '/etc:/x:ro',
    '/etc/:/x:ro',
    '/var:/x:ro',
    '/var/lib:/x:ro',
    '/var/lib/docker:/x:ro',
    '/var/lib/docker/containers:/x:ro',
    '/proc:/x:ro',
    '/proc/1/root:/x:ro',
    '/sys/fs/cgroup:/x:ro',
    '/dev/sda:/x:ro',
    '/run/docker.sock:/x:ro',
    '/var/run/docker.sock:/x',
    '/boot:/x:ro',
    '/root/.ssh:/x:ro',
    '/etc/shadow:/x:ro',
    '/etc/ssh/ssh_host_rsa_key:/x:ro',
    '/etc/sudoers.d/x:/x:ro',
    '/srv:/x:ro',
    '/srv/plancton:/x:ro',
    '/srv/plancton/run:/x:ro',
    '/srv/plancton/run/drain:/x:ro',
    '/srv/engine.sock:/x:ro',
  ])('%s', (bind) => {
    expect(always(bind)).toMatch(/^pilots never get/);
  });

  it.each([
    '/etc/cron.d:/x',
    '/etc/plancton/a:/x:rw',
    '/usr/local/bin:/x',
    '/lib/modules:/x:rw,rslave',
    '/opt:/x',
    '/conf/hosts:/x',
  ])('to write to: %s', (bind) => {
    expect(always(bind)).toMatch(/^pilots never write to .*; add :ro/);
    expect(always(`${bind.split(':').slice(0, 2).join(':')}:ro`)).toBeUndefined();
  });

  it.each(['/cvmfs:/cvmfs', '/etc/grid-security:/x:ro', '/srv2:/x', '/srv/other:/x', '/procx:/x', '/usr/share:/x:ro'])(
    'is not %s',
    (bind) => {
      expect(always(bind)).toBeUndefined();
    },
  );
});

describe('an allowed bind', () => {
  const allowed = [
    { path: '/cvmfs', options: [] },
    { path: '/data', options: ['rw'] },
    { path: '/shared', options: ['rw', 'rshared'] },
  ];
  const refused = (bind: string) => refusedBind(parseBind(bind, 'rw,rslave'), allowed);

  it.each(['/cvmfs:/c:ro', '/cvmfs/a/b:/c:ro,rslave', '/data:/d', '/data/.//:/d:rw', '/shared:/s:rw,rshared'])(
    'is good for %s',
    (bind) => {
      expect(refused(bind)).toBeUndefined();
    },
  );

  it.each([
    ['/cvmfs:/c', /without rw/],
    ['/data/x:/d', /within \/data, where pilots may write/],
    ['/data/x:/d:ro', /within \/data, where pilots may write/],
    ['/cvmfs2:/c:ro', /not among/],
    ['/cvm:/c:ro', /not among/],
    ['/data:/d:rw,shared', /without shared/],
    ['/data:/d:rw,Z', /without Z/],
    ['/shared:/d:rw,shared', /without shared/],
  ])('is not good for %s', (bind, why) => {
    expect(refused(bind)).toMatch(why);
  });

  it('is written as a bind needs it', () => {
    expect(writtenNeeds(parseBind('/a//b/:/c', 'rw,rslave'))).toBe('/a/b:rw');
    expect(writtenNeeds(parseBind('/a:/c:ro', 'rw'))).toBe('/a');
    expect(writtenNeeds(parseBind('/a:/c:rw,shared,Z', 'ro'))).toBe('/a:rw,shared,Z');
  });
});
