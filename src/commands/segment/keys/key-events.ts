import { sameJson } from '../../../domain/json.js';
import {
  type SegmentContent,
  type SegmentEvent,
  type SegmentReverted,
} from '../../../domain/segment/events.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  segmentContentOf,
} from '../../../domain/segment/segment.js';
import { fitsOneEvent, inParts, listChanges, type Lists } from '../../lists/parts.js';
import { type KeyLists } from './key-lists.js';

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
