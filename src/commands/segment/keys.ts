import { type Command, DomainError } from '../../domain/decider.js';
import { sameJson } from '../../domain/json.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentContent,
  segmentContentOf,
  type SegmentEvent,
  type SegmentReverted,
} from '../../domain/segment.js';
import { fitsOneEvent, inParts, listChanges, type Lists } from '../list-parts.js';
import { requireSegment, type SegmentPlace } from './guards.js';

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
const keysChanged = (
  { included, excluded }: KeyLists,
  wanted: KeyLists,
): readonly SegmentEvent[] => {
  const data = normaliseKeys(wanted);
  return sameJson({ included, excluded }, data) ? [] : [{ type: 'SegmentKeysChanged', data }];
};

/** These keys are included or excluded from now on, whatever they were before. */
export type AddSegmentKeys = Command<'AddSegmentKeys', SegmentPlace & KeyLists>;

export const addSegmentKeys = (
  { data }: AddSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const added = normaliseKeys(data);
  const [included, excluded] = [new Set(added.included), new Set(added.excluded)];
  return keysChanged(active, {
    included: [...active.included.filter((key) => !excluded.has(key)), ...included],
    excluded: [...active.excluded.filter((key) => !included.has(key)), ...excluded],
  });
};

const listsOf = ({ included, excluded }: KeyLists): Lists =>
  new Map([
    ['included', included],
    ['excluded', excluded],
  ]);

const keysIn = (lists: Lists): KeyLists => ({
  included: lists.get('included') ?? [],
  excluded: lists.get('excluded') ?? [],
});

const NO_KEYS: KeyLists = { included: [], excluded: [] };

const added = (parts: readonly Lists[]): readonly SegmentEvent[] =>
  parts.map((part) => ({ type: 'SegmentKeysAdded', data: keysIn(part) }));

const removed = (parts: readonly Lists[]): readonly SegmentEvent[] =>
  parts.map((part) => ({ type: 'SegmentKeysRemoved', data: keysIn(part) }));

const keysOf = (segment: Segment): KeyLists => (segment.status === 'absent' ? NO_KEYS : segment);

const withoutLists = (content: SegmentContent): SegmentContent => ({
  ...segmentContentOf(content),
  ...NO_KEYS,
});

const snapshotEvents = (
  segment: Segment,
  event: Extract<SegmentEvent, { data: SegmentReverted['data'] }>,
): readonly SegmentEvent[] => {
  const { content, fromRevision } = event.data;
  const wanted = listsOf(content);
  if (fitsOneEvent(wanted)) return [event];
  const changes = listChanges(listsOf(keysOf(segment)), wanted);
  const bare = withoutLists(content);
  const isSame = segment.status === 'active' && sameJson(withoutLists(segment), bare);
  const data = { content: bare, fromRevision, keysKept: true } as const;
  return [
    ...removed(changes.removed),
    ...(isSame ? [] : [{ ...event, data }]),
    ...added(changes.added),
  ];
};

const boundedEvent = (segment: Segment, event: SegmentEvent): readonly SegmentEvent[] => {
  switch (event.type) {
    case 'SegmentKeysChanged': {
      const changes = listChanges(listsOf(keysOf(segment)), listsOf(event.data));
      return [...removed(changes.removed), ...added(changes.added)];
    }
    case 'SegmentCreated': {
      const lists = listsOf(event.data);
      if (fitsOneEvent(lists)) return [event];
      return [{ ...event, data: { ...event.data, ...NO_KEYS } }, ...added(inParts(lists))];
    }
    case 'SegmentRestored':
    case 'SegmentReverted':
      return snapshotEvents(segment, event);
    default:
      return [event];
  }
};

/**
 * The same change with lists as what came and what went, in events of bounded size: an edit of one key is as small in a
 * long list as in a short one.
 */
export const boundedSegmentEvents = (
  segment: Segment,
  events: readonly SegmentEvent[],
): readonly SegmentEvent[] => {
  let state = segment.status === 'absent' ? absentSegment : segment;
  return events.flatMap((event) => {
    const bounded = boundedEvent(state, event);
    state = evolveSegment(state, event);
    return bounded;
  });
};

/** These keys are in neither list any more: the rules say whether they are members. */
export type RemoveSegmentKeys = Command<
  'RemoveSegmentKeys',
  SegmentPlace & { keys: readonly string[] }
>;

export const removeSegmentKeys = (
  { data }: RemoveSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => {
  const active = requireSegment(segment, data.segmentKey);
  const removed = new Set(data.keys);
  return keysChanged(active, {
    included: active.included.filter((key) => !removed.has(key)),
    excluded: active.excluded.filter((key) => !removed.has(key)),
  });
};

/** The whole new lists. */
export type ReplaceSegmentKeys = Command<'ReplaceSegmentKeys', SegmentPlace & KeyLists>;

export const replaceSegmentKeys = (
  { data }: ReplaceSegmentKeys,
  segment: Segment,
): readonly SegmentEvent[] => keysChanged(requireSegment(segment, data.segmentKey), data);
