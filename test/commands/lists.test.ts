import fc from 'fast-check';
import { test } from 'tap';
import { boundedFlagEvents } from '../../src/commands/flag/target-events.js';
import { boundedSegmentEvents } from '../../src/commands/segment/keys.js';
import { type Target } from '../../src/domain/flag/configuration.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import { canonicalJson, type Json, sameJson } from '../../src/domain/json.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { setDifference } from '../../src/domain/targeting/key-lists.js';
import { booleanDefaults, content, created, ENVIRONMENT } from '../support/flags.js';
import { property } from '../support/property.js';

/** Some hundred of them are more than one event carries. */
const key = (nth: number): string => `${nth}-${'k'.repeat(250)}`;

const keyList = fc.uniqueArray(fc.nat(9), { maxLength: 8 }).chain((blocks) =>
  // Whole blocks, so that few numbers make lists of several events.
  fc.constant(blocks.flatMap((block) => Array.from({ length: 60 }, (_, n) => key(block * 60 + n)))),
);

const lists = fc.tuple(keyList, keyList).map(([included, other]) => ({
  included,
  excluded: other.filter((one) => !included.includes(one)),
}));

const targetLists = lists.map(({ included, excluded }) =>
  [
    { variant: 'on', keys: included },
    { variant: 'off', keys: excluded },
  ].filter(({ keys }) => keys.length > 0),
);

const segmentContent = {
  projectId: content.projectId,
  key: 'beta',
  name: 'beta',
  description: '',
  tags: [],
  rules: [],
};

const segmentEvents = fc.array(
  fc.oneof(
    lists.map((data): SegmentEvent => ({ type: 'SegmentKeysChanged', data })),
    lists.map((keys): SegmentEvent => ({
      type: 'SegmentReverted',
      data: { content: { ...segmentContent, ...keys }, fromRevision: 0 },
    })),
  ),
  { maxLength: 5 },
);

const flagEvents = fc.array(
  fc.oneof(
    targetLists.map((targets): FlagEvent => ({
      type: 'FlagTargetsChanged',
      data: { environment: ENVIRONMENT, targets },
    })),
    targetLists.map((targets): FlagEvent => ({
      type: 'FlagPromoted',
      data: { from: 'staging', to: ENVIRONMENT, configuration: { ...booleanDefaults, targets } },
    })),
    fc.tuple(targetLists, targetLists).map(([production, staging]): FlagEvent => ({
      type: 'FlagReverted',
      data: {
        content: {
          ...content,
          environments: {
            production: { ...booleanDefaults, targets: production },
            staging: { ...booleanDefaults, targets: staging },
          },
        },
        status: 'active',
        fromRevision: 0,
      },
    })),
  ),
  { maxLength: 5 },
);

const LONGEST = 256 * 1024;
const areBounded = (events: readonly (SegmentEvent | FlagEvent)[]): boolean =>
  events.every((event) => JSON.stringify(event).length < LONGEST);

type Configured = Readonly<{
  defaults?: unknown;
  environments?: Readonly<Record<string, unknown>>;
}>;

/** Without the environments that are as the defaults are: an event that changes nothing names them, none does not. */
const withoutDefaults = ({ defaults, environments, ...rest }: Configured): object => ({
  ...rest,
  ...(environments && {
    defaults,
    environments: Object.fromEntries(
      Object.entries(environments).filter(([, one]) => !sameJson(one as Json, defaults as Json)),
    ),
  }),
});

/** Lists are sets: which way a key came in decides where it stands. */
const sorted = (state: object): string => {
  const inOrder = (name: string, member: unknown): unknown => {
    const isList = name === 'included' || name === 'excluded' || name === 'keys';
    if (isList && Array.isArray(member)) return member.toSorted();
    if (name !== 'targets' || !Array.isArray(member)) return member;
    return member.toSorted((one: Target, other: Target) => (one.variant < other.variant ? -1 : 1));
  };
  return canonicalJson(JSON.parse(JSON.stringify(withoutDefaults(state)), inOrder) as Json);
};

test('a segment is the same by events of bounded size as by whole lists', async (t) => {
  await fc.assert(
    fc.asyncProperty(lists, segmentEvents, async (first, events) => {
      const all: SegmentEvent[] = [
        { type: 'SegmentCreated', data: { ...segmentContent, ...first } },
        ...events,
      ];
      let [whole, small]: [Segment, Segment] = [absentSegment, absentSegment];
      for (const event of all) {
        const bounded = boundedSegmentEvents(small, [event]);
        t.ok(areBounded(bounded));
        whole = evolveSegment(whole, event);
        small = bounded.reduce(evolveSegment, small);
        t.equal(sorted(small), sorted(whole));
        if (event.type !== 'SegmentCreated')
          t.notOk(boundedSegmentEvents(small, [event]).some(({ type }) => /Keys/.test(type)));
      }
    }),
    { numRuns: 20 },
  );
});

test('a flag is the same by events of bounded size as by whole targets', async (t) => {
  await fc.assert(
    fc.asyncProperty(flagEvents, async (events) => {
      let [whole, small]: [Flag, Flag] = [absentFlag, absentFlag];
      for (const event of [created, ...events]) {
        const bounded = boundedFlagEvents(small, [event]);
        t.ok(areBounded(bounded));
        whole = evolveFlag(whole, event);
        small = bounded.reduce(evolveFlag, small);
        t.equal(sorted(small), sorted(whole));
      }
    }),
    { numRuns: 20 },
  );
});

test('an edit of one key is as small in a long list as in a short one', async (t) => {
  const edited = (count: number): string => {
    const included = Array.from({ length: count }, (_, n) => key(n));
    const segment = [
      { type: 'SegmentCreated', data: { ...segmentContent, included, excluded: [] } },
    ] as const;
    const state = segment.reduce<Segment>(evolveSegment, absentSegment);
    const data = { included: [...included, 'new'], excluded: [] };
    return JSON.stringify(boundedSegmentEvents(state, [{ type: 'SegmentKeysChanged', data }]));
  };
  t.equal(edited(10_000), edited(10));
});

const items = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 12 });

test('what left a list and what joined it', (t) => {
  property(t, [items, items, items, items], (start, before, after, end) => {
    const [left, right] = [
      [...start, ...before, ...end],
      [...start, ...after, ...end],
    ];
    const { removed, added } = setDifference(left, right);
    const isSame = (found: readonly string[], wanted: readonly string[]) =>
      JSON.stringify(found.toSorted()) === JSON.stringify(wanted.toSorted());
    const lacks = (list: readonly string[]) => (item: string) => !list.includes(item);
    return (
      isSame([...new Set(removed)], [...new Set(left.filter(lacks(right)))]) &&
      isSame([...new Set(added)], [...new Set(right.filter(lacks(left)))])
    );
  });
  t.end();
});
