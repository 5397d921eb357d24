import { createHash } from 'node:crypto';
import { type Ruleset, type SegmentDefinition } from '../../domain/evaluation/ruleset.js';
import { canonicalJson } from '../../domain/json.js';
import { type EnvironmentRulesets } from './environment-rulesets.js';

type Content = Ruleset | SegmentDefinition;

const fingerprints = new WeakMap<Content, bigint>();

/** 128 bits of what can be seen of one flag or segment: all but where it stands in the log. */
const fingerprint = (content: Content, kind: 'flag' | 'segment'): bigint => {
  const held = fingerprints.get(content);
  if (held !== undefined) return held;
  const { revision: _, position: __, ...seen } = content;
  // The order of keys depends on how they came here, and changes nothing.
  const lists = 'included' in seen && {
    included: seen.included.toSorted(),
    excluded: seen.excluded.toSorted(),
  };
  const text = canonicalJson([kind, { ...seen, ...lists }]);
  const hex = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const made = BigInt(`0x${hex}`);
  fingerprints.set(content, made);
  return made;
};

const tags = new WeakMap<EnvironmentRulesets, string>();

/**
 * Says what an environment serves: equal for equal flags and segments, in every process and whatever the order, and
 * only for these. A sum over fingerprints that are kept, so that one changed flag among a thousand costs little.
 */
export const configTag = (environment: EnvironmentRulesets): string => {
  const held = tags.get(environment);
  if (held !== undefined) return held;
  let sum = 0n;
  for (const { ruleset } of environment.flags.values()) sum += fingerprint(ruleset, 'flag');
  for (const { definition } of environment.segments.values())
    sum += fingerprint(definition, 'segment');
  const tag = BigInt.asUintN(128, sum).toString(16).padStart(32, '0');
  tags.set(environment, tag);
  return tag;
};
