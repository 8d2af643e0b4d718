import { describe, expect, test } from 'vitest';
import { samePilots } from '../../../src/daemon/same-pilots.js';
import { aConfig } from '../../support/plan-builders.js';

describe('pilots are the same under two configurations', () => {
  test('that say the same about pilots, whatever else they say', () => {
    expect(samePilots(aConfig(), aConfig({ main_sleep: 77, max_docks: 1 }), '/etc/plancton')).toBe(true);
    expect(samePilots(aConfig(), aConfig({ docker_cmd: ['/other'] }), '/etc/plancton')).toBe(false);
  });

  test.each([
    ['/etc/plancton:/conf:ro', false],
    ['/etc/plancton/scripts:/scripts:ro', false],
    ['/etc:/host-etc', false],
    ['/:/host', false],
    ['/etc/plancton-other:/other', true],
    ['/cvmfs:/cvmfs', true],
  ])('unless they see files that come with the configuration: %s', (bind, same) => {
    const config = aConfig({ binds: [bind] });
    expect(samePilots(config, config, '/etc/plancton')).toBe(same);
  });
});
