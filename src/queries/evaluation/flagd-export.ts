import { createHash } from 'node:crypto';
import { flagdDocument } from '../../domain/flagd/export.js';
import { type EnvironmentRulesets } from './environment-rulesets.js';

/** An environment as flagd's providers take it. */
export type FlagdExport = Readonly<{
  /** JSON text; the same for the same flags, whatever the log position. */
  text: string;
  /** SHA-256 of the text, base64url. */
  tag: string;
  /** How many flags are left out, because flagd has no words for them. */
  leftOut: number;
}>;

const exportOf = (environment: EnvironmentRulesets, flagSetId: string): FlagdExport => {
  const rulesets = [...environment.flags].map(([key, { ruleset }]) => [key, ruleset] as const);
  const definitions = [...environment.segments].map(
    ([key, { definition }]) => [key, definition] as const,
  );
  const contents = { flags: new Map(rulesets), segments: new Map(definitions) };
  const { document, leftOut } = flagdDocument(contents, flagSetId);
  const text = JSON.stringify(document);
  const tag = createHash('sha256').update(text).digest('base64url');
  return { text, tag, leftOut: leftOut.length };
};

// By the environment itself, which a change replaces: what is stale cannot be found.
const made = new WeakMap<EnvironmentRulesets, FlagdExport>();

/** Made once for each state of an environment. `flagSetId` is always the same for one environment. */
export const flagdExport = (environment: EnvironmentRulesets, flagSetId: string): FlagdExport => {
  const known = made.get(environment);
  if (known !== undefined) return known;
  const fresh = exportOf(environment, flagSetId);
  made.set(environment, fresh);
  return fresh;
};
