import { DomainError } from '../../../domain/decider.js';
import { sameJson } from '../../../domain/json.js';
import { type SegmentEvent } from '../../../domain/segment/events.js';

/** Targeting keys in and out of a segment. */
export type KeyLists = Readonly<{ included: readonly string[]; excluded: readonly string[] }>;

/** Targeting keys of one segment, in both lists together. */
export const MAX_SEGMENT_KEYS = 100_000;

/** Every key once. @throws DomainError `duplicate-segment-key`, `too-many-keys` */
export const normaliseKeys = (lists: KeyLists): KeyLists => {
  const [included, excluded] = [new Set(lists.included), new Set(lists.excluded)];
  for (const key of included) {
    if (excluded.has(key)) {
      throw new DomainError(
        'duplicate-segment-key',
        `Targeting key '${key}' is both included and excluded.`,
      );
    }
  }
  const count = included.size + excluded.size;
  if (count > MAX_SEGMENT_KEYS) {
    throw new DomainError(
      'too-many-keys',
      `There would be ${count} keys; a segment has at most ${MAX_SEGMENT_KEYS}. Describe its members by rules.`,
    );
  }
  return { included: [...included], excluded: [...excluded] };
};

/** The event that makes these the lists; none when they are already. @throws DomainError as normaliseKeys */
export const keysChanged = (
  { included, excluded }: KeyLists,
  wanted: KeyLists,
): readonly SegmentEvent[] => {
  const data = normaliseKeys(wanted);
  return sameJson({ included, excluded }, data) ? [] : [{ type: 'SegmentKeysChanged', data }];
};
