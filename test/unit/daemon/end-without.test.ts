import { describe, expect, it } from 'vitest';
import { endWithout } from '../../../src/daemon/daemon.js';

const refused = { revisionId: 'a', problems: ['no'], sinceWallMs: 0 };
const nothing = { inForce: undefined, refused: undefined, unreachable: undefined };

describe('a daemon without a configuration ends', () => {
  it('for good when what there is is bad', () => {
    expect(endWithout({ ...nothing, refused })).toEqual({ why: 'bad-config', problems: ['no'] });
  });

  it('to be started again where the next revision may come from elsewhere, however bad this one is', () => {
    expect(endWithout({ ...nothing, refused }, true)).toEqual({ why: 'no-config', problems: ['no'] });
  });

  it('to be started again when it could not be read, or somebody who may have a better one could not be asked', () => {
    expect(endWithout({ ...nothing, refused: { ...refused, mayHeal: true } })).toMatchObject({ why: 'no-config' });
    expect(endWithout({ ...nothing, refused, unreachable: 'No answer.' })).toEqual({
      why: 'no-config',
      problems: ['no', 'No answer.'],
    });
  });
});
