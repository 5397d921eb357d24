import { DomainError } from '../../domain/decider.js';
import { type FlagType, typeOfValue, type Variant } from '../../domain/flag/configuration.js';

export const BOOLEAN_VARIANTS: readonly Variant[] = [
  { name: 'on', value: true },
  { name: 'off', value: false },
];

/** At least one variant, unique names, values of the flag's type. @throws DomainError */
export const requireValidVariants = (type: FlagType, variants: readonly Variant[]): void => {
  if (variants.length === 0) {
    throw new DomainError('no-variants', `A flag of type ${type} needs at least one variant.`);
  }
  const names = new Set<string>();
  for (const { name, value } of variants) {
    if (names.has(name)) {
      throw new DomainError('duplicate-variant', `There are two variants named '${name}'.`);
    }
    names.add(name);
    if (typeOfValue(value) !== type) {
      throw new DomainError(
        'variant-type-mismatch',
        `The value of variant '${name}' is not of type ${type}, which this flag serves.`,
      );
    }
  }
};
