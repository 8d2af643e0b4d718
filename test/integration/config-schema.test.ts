import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderJsonSchema } from '../../src/config/render.js';

// An independent reader of YAML and of JSON Schema (Debian: python3-jsonschema, python3-yaml).
const validator = `
import json, sys, yaml, jsonschema
schema, texts = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(schema)
check = jsonschema.Draft7Validator(schema)
print(json.dumps([sorted('.'.join(map(str, e.absolute_path)) for e in check.iter_errors(yaml.safe_load(t))) for t in texts]))
`;

/** For each text the paths at which it does not follow the schema; an unknown key has the path ''. */
function errorPathsOf(texts: readonly string[]): unknown {
  const input = JSON.stringify([JSON.parse(renderJsonSchema()), texts]);
  const stdout = execFileSync('python3', ['-c', validator], { input, encoding: 'utf8', timeout: 60_000 });
  return JSON.parse(stdout);
}

function shipped(name: string): string {
  return readFileSync(new URL(`../../conf/${name}`, import.meta.url), 'utf8');
}

describe('the JSON Schema', () => {
  it('accepts every configuration that is shipped, and an empty file', () => {
    expect(errorPathsOf([shipped('config.yaml'), shipped('demo.yaml'), '', 'main_sleep:\n'])).toEqual([[], [], [], []]);
  });

  it('refuses unknown keys, wrong types and values out of bounds', () => {
    const texts = ['mainsleep: 5', 'main_sleep: soon', 'main_sleep: 0', 'evict: sometimes', 'binds: /a:/b', 'nice: 3'];
    expect(errorPathsOf(texts)).toEqual([[''], ['main_sleep'], ['main_sleep'], ['evict'], ['binds'], ['nice']]);
  });
});
