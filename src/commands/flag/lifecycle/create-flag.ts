import { type Command, DomainError } from '../../../domain/decider.js';
import {
  type Configuration,
  type FlagType,
  type Variant,
} from '../../../domain/flag/configuration.js';
import { type FlagEvent } from '../../../domain/flag/events.js';
import { type ExistingFlag, type Flag } from '../../../domain/flag/flag.js';
import { requireVariants } from '../guards.js';
import { BOOLEAN_VARIANTS, requireValidVariants } from '../variants.js';

/** A new flag is disabled everywhere. Enabled, it serves `defaultVariant`; disabled, `offVariant`. */
export type CreateFlag = Command<
  'CreateFlag',
  {
    projectId: string;
    flagKey: string;
    type: FlagType;
    name?: string;
    description?: string;
    tags?: readonly string[];
    /** Default for boolean flags: on (true) and off (false). */
    variants?: readonly Variant[];
    /** Default: the first variant. */
    defaultVariant?: string;
    /** Default: the variant `false` of a boolean flag, else none, so the caller's code default. */
    offVariant?: string | null;
    salt?: string;
  }
>;

/** @throws DomainError `flag-exists`, with a pointer to restore when it is deleted */
export const refuseTaken = (flag: ExistingFlag): never => {
  throw flag.status === 'deleted'
    ? new DomainError(
        'flag-exists-deleted',
        `Flag '${flag.key}' exists and is deleted. A key is never reused: restore the flag, or choose another key.`,
      )
    : new DomainError('flag-exists', `Flag '${flag.key}' exists already.`);
};

const defaultsOf = (
  { type, defaultVariant, offVariant }: CreateFlag['data'],
  variants: readonly Variant[],
): Configuration => {
  const falseVariant = variants.find(({ value }) => type === 'boolean' && value === false);
  const defaults: Configuration = {
    enabled: false,
    offVariant: offVariant === undefined ? (falseVariant?.name ?? null) : offVariant,
    fallthrough: { variant: defaultVariant ?? variants[0]?.name ?? null },
    targets: [],
  };
  requireVariants(variants, [defaults.offVariant, defaultVariant ?? null]);
  return defaults;
};

export const createFlag = ({ data }: CreateFlag, flag: Flag): readonly FlagEvent[] => {
  if (flag.status !== 'absent') refuseTaken(flag);
  const { projectId, flagKey: key, type, name = key, description = '', salt = key } = data;
  const variants = data.variants ?? (type === 'boolean' ? BOOLEAN_VARIANTS : []);
  requireValidVariants(type, variants);
  const defaults = defaultsOf(data, variants);
  const tags = [...new Set(data.tags)];
  const content = { projectId, key, name, description, tags, type, variants, salt, defaults };
  return [{ type: 'FlagCreated', data: { ...content, environments: {} } }];
};
