import { type FlagMetadata } from '../../domain/flag/events.js';
import { type Json } from '../../domain/json.js';
import { isObject, refuseAt } from './place.js';

const isFact = (value: Json): value is FlagMetadata[string] => typeof value !== 'object';

/** A flag's own metadata; empty is none. @throws DomainError `cannot-import` */
export const parseMetadata = (
  metadata: Json | undefined,
  place: string,
): Readonly<{ metadata?: FlagMetadata }> => {
  if (metadata === undefined) return {};
  if (!isObject(metadata)) return refuseAt(`${place}/metadata`, 'must be an object');
  const facts = Object.entries(metadata).map(([name, value]) =>
    isFact(value)
      ? ([name, value] as const)
      : refuseAt(`${place}/metadata/${name}`, 'must be a string, a number or a boolean'),
  );
  return facts.length === 0 ? {} : { metadata: Object.fromEntries(facts) };
};
