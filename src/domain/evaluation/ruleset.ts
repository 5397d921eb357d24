import { type Configuration, type FlagType, type Variant } from '../flag/configuration.js';
import { type FlagMetadata } from '../flag/events.js';
import { configurationOf, type ExistingFlag } from '../flag/flag.js';
import { type Position, positionInJson } from '../position.js';

/** All that evaluating one flag in one environment needs, as it is stored in Redis and on disk. */
export type Ruleset = Readonly<{
  key: string;
  type: FlagType;
  /** The flag's revision and log position that this was taken at. */
  revision: number;
  position: string | number;
  isArchived: boolean;
  salt: string;
  variants: readonly Variant[];
  configuration: Configuration;
  /** The flag's own, which providers hand to applications. */
  metadata?: FlagMetadata;
}>;

/** The ruleset of a flag in one environment; undefined for a deleted flag, which is not evaluated. */
export const rulesetOf = (
  flag: ExistingFlag,
  environment: string,
  { revision, position }: Readonly<{ revision: number; position: Position }>,
): Ruleset | undefined =>
  flag.status === 'deleted'
    ? undefined
    : {
        key: flag.key,
        type: flag.type,
        revision,
        position: positionInJson(position),
        isArchived: flag.status === 'archived',
        salt: flag.salt,
        variants: flag.variants,
        configuration: configurationOf(flag, environment),
        ...(flag.metadata === undefined ? {} : { metadata: flag.metadata }),
      };
