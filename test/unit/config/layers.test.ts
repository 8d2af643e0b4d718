import { describe, expect, it } from 'vitest';
import { layerFiles, selectLayers } from '../../../src/config/layers.js';

const HOST = 'wn042.farm.site.org';

function overridesFor(host: string, ...patterns: string[]): string[] {
  return layerFiles(
    patterns.map((pattern) => `hosts/${pattern}.yaml`),
    host,
  ).map((path) => path.slice('hosts/'.length, -'.yaml'.length));
}

describe('the layers of a host', () => {
  it('begin with config.yaml and go from the least to the most specific override', () => {
    const files = ['hosts/wn042.yaml', 'hosts/*.yaml', `hosts/${HOST}.yaml`, 'config.yaml', 'hosts/wn0*.yaml'];
    expect(layerFiles(files, HOST)).toEqual([
      'config.yaml',
      'hosts/*.yaml',
      'hosts/wn0*.yaml',
      'hosts/wn042.yaml',
      `hosts/${HOST}.yaml`,
    ]);
  });

  it('are the same in whatever order the files are listed', () => {
    const patterns = ['*', 'wn*', 'wn0??', 'wn0[0-4]2', 'wn04?', 'wn042', '*.site.org', 'wn*2'];
    const expected = overridesFor(HOST, ...patterns);
    expect(overridesFor(HOST, ...patterns.toReversed())).toEqual(expected);
    expect(expected.at(0)).toBe('*');
    expect(expected.at(-1)).toBe('wn042');
  });

  it('prefer an exact short name to a longer pattern', () => {
    expect(overridesFor(HOST, 'wn042', 'wn*.farm.site.org')).toEqual(['wn*.farm.site.org', 'wn042']);
  });

  it('prefer among patterns of the same length a set to a question mark and both to a star', () => {
    expect(overridesFor('wn7', 'wn*', 'wn?', 'wn[0-9]')).toEqual(['wn*', 'wn?', 'wn[0-9]']);
  });

  it.each([
    ['wn[0-9]42', true],
    ['wn[!0-9]42', false],
    ['wn[^1-9]42', true],
    ['WN042', true],
    ['*.site.org', true],
    ['*.org', true],
    ['?n04?', true],
    ['wn04', false],
    ['n042', false],
    ['wn042.farm', false],
    ['w*n*4*', true],
    ['wn[042', false],
    ['wn.42', false],
    ['(wn042)', false],
  ])('hold the pattern %s: %s', (pattern, expected) => {
    expect(overridesFor(HOST, pattern)).toEqual(expected ? [pattern] : []);
  });

  it('ignore what is deeper, elsewhere or not YAML', () => {
    const files = [
      'hosts/a/wn042.yaml',
      'wn042.yaml',
      'hosts/wn042.yml',
      'hosts/README.md',
      'sub/config.yaml',
      'hosts/.yaml',
    ];
    expect(layerFiles(files, HOST)).toEqual([]);
  });

  it('are found at once even for a pattern made to stall a matcher', () => {
    expect(overridesFor('a'.repeat(250), `${'*a'.repeat(100)}b`)).toEqual([]);
  });

  it('carry their texts', () => {
    const files = new Map([
      ['hosts/wn042.yaml', 'max_docks: 1'],
      ['config.yaml', 'max_docks: 2'],
      ['hosts/other.yaml', 'max_docks: 3'],
    ]);
    expect(selectLayers(files, 'wn042')).toEqual([
      { file: 'config.yaml', text: 'max_docks: 2' },
      { file: 'hosts/wn042.yaml', text: 'max_docks: 1' },
    ]);
  });
});
