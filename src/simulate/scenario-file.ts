import type * as z from 'zod';
import { findingsIn } from '../config/findings.js';
import type { ConfigText } from '../config/layers.js';
import type { ConfigProblem } from '../config/problem.js';
import { closestWord } from '../config/spelling.js';
import { show } from '../config/value-type.js';
import { pathText, readYaml, type YamlPath } from '../config/yaml.js';
import { isStepKey, ncpusType, scenarioFile, scenarioKeys, stepTime, type ScenarioValues } from './scenario.js';

/** What one scenario file says, by itself. */
export interface ScenarioFile {
  /** Undefined where they cannot be used. */
  readonly values: ScenarioValues | undefined;
  readonly problems: readonly ConfigProblem[];
  /** Also where other things are wrong; 1 where it is wrong itself, which will do to look for mistakes. */
  readonly ncpus: number;
  /** Adds a problem with the value at `path`. */
  readonly reject: (path: YamlPath, message: string) => void;
}

type Entries = readonly (readonly [name: string, value: unknown])[];

/** Without keys that have no value: they have their defaults, as in a configuration. */
function withoutEmpty(entries: Entries): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse({ pilot, ...given }: Record<string, unknown>) {
  const isListed = given['foreign'] === undefined || Array.isArray(given['foreign']);
  const schema = isListed ? scenarioFile.listed : scenarioFile.recorded;
  return schema.safeParse({ ...given, pilot: isMapping(pilot) ? withoutEmpty(Object.entries(pilot)) : pilot });
}

/** Where an issue is, and what to say of it; an unknown key is told by itself. */
function explain(issue: z.core.$ZodIssue): { path: YamlPath; message: string; unknown?: boolean; hint?: string }[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => {
    // Known, and in the wrong place: a step by itself.
    if (path[0] === 'foreign' && path.length === 1 && isStepKey(key))
      return {
        path: [...path, key],
        message: 'belongs to an entry of a list',
        unknown: true,
        hint: 'give - { at: SECONDS, cpus: NUMBER }',
      };
    const meant = closestWord(key, scenarioKeys[path[0] ?? ''] ?? []);
    const hint = meant === undefined ? 'remove it' : `did you mean ${meant}?`;
    return { path: [...path, key], message: `unknown key ${show(pathText([key]))}`, unknown: true, hint };
  });
}

/** Rejects entries that are no later than those before them; by themselves, so that they are told beside other mistakes. */
function checkOrder(foreign: unknown, reject: ScenarioFile['reject']): void {
  if (!Array.isArray(foreign)) return;
  let before = -1;
  foreign.forEach((step: unknown, index) => {
    const { data: at } = stepTime.schema.safeParse(isMapping(step) && 'at' in step ? step.at : undefined);
    if (at === undefined) return;
    if (at <= before) reject(['foreign', index, 'at'], `${at} is not later than the ${before} of an entry before`);
    before = at;
  });
}

/** Reads a scenario file. Never throws: what is wrong is among the problems. `config` is left to those who know its keys. */
export function readScenarioFile(file: ConfigText): ScenarioFile {
  const { problems, report } = findingsIn(file);
  const { entries, problems: textProblems, locate } = readYaml(file.text);
  const reject = (path: YamlPath, message: string) => {
    report('error', locate(path).value, pathText(path), message);
  };
  for (const { offset, key, message } of textProblems) report('error', offset, key, message);
  // What could not be read at all says nothing about what is missing.
  if (textProblems.length > 0 && entries.length === 0) return { values: undefined, problems, ncpus: 1, reject };
  const given = withoutEmpty(entries);
  const { data, error } = parse(given);
  for (const { path, message, unknown, hint } of error?.issues.flatMap(explain) ?? []) {
    report('error', unknown === true ? locate(path).key : locate(path).value, pathText(path), message, hint);
  }
  checkOrder(given['foreign'], reject);
  return { values: data, problems, ncpus: ncpusType.safeParse(given['ncpus']).data ?? 1, reject };
}
