import type { HostFacts } from '../model.js';
import type { Verdict } from './keeper.js';
import { BASE_FILE, type ConfigText } from './layers.js';
import { loadConfig } from './load.js';
import { formatProblem } from './problem.js';
import type { Config } from './schema.js';

/** Checks a configuration for the keeper: valid values, or every problem as text that shows where it is. */
export function checkConfig(layers: readonly ConfigText[], host: HostFacts): Verdict<Config> {
  const texts = new Map(layers.map(({ file, text }) => [file, text]));
  const result = loadConfig(layers, host);
  if (result.ok) {
    const warnings = result.warnings.map((problem) => formatProblem(problem, texts.get(problem.file)));
    const missing = !layers.some(({ file }) => file === BASE_FILE)
      ? ['there is no config.yaml: every key has its default']
      : [];
    return { ok: true, config: result.config, warnings: [...missing, ...warnings] };
  }
  return { ok: false, problems: result.problems.map((problem) => formatProblem(problem, texts.get(problem.file))) };
}
