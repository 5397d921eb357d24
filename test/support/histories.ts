import * as fc from 'fast-check';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import {
  type Configuration,
  type Prerequisite,
  type Rule,
  type Serve,
  type Target,
} from '../../src/domain/flag/configuration.js';
import { type FlagContent, type FlagEvent } from '../../src/domain/flag/events.js';
import { absentFlag, contentOf, evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import { type ProjectEvent } from '../../src/domain/project.js';
import { type Metadata, type Recorded } from '../../src/domain/recorded.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentContent,
  segmentContentOf,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { SKIPPED_EVENTS_STREAM } from '../../src/domain/skipped-events.js';
import { flagStream, projectIdOf, projectStream, segmentStream } from '../../src/domain/streams.js';
import { type Clause } from '../../src/domain/targeting/clause.js';

export const ORGANIZATION = 'acme';
export const PROJECT = 'shop';
export const PROJECT_ID = projectIdOf(ORGANIZATION, PROJECT);
export const ENVIRONMENTS = ['development', 'production'] as const;
export const FIRST_MS = Date.parse('2026-01-01T00:00:00.000Z');

export const configuration: Configuration = {
  enabled: false,
  offVariant: 'off',
  fallthrough: { variant: 'on' },
  targets: [],
};

export const flagContent = (key: string, projectId = PROJECT_ID): FlagContent => ({
  projectId,
  key,
  name: `Flag ${key}`,
  description: '',
  tags: [],
  type: 'boolean',
  variants: [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ],
  salt: key,
  defaults: configuration,
  environments: {},
});

export const splitServe = (onWeight: number): Serve => ({
  split: {
    weights: [
      { variant: 'on', weight: onWeight },
      { variant: 'off', weight: 100_000 - onWeight },
    ],
    total: 100_000,
    bucketBy: 'targetingKey',
    algorithm: 'murmur3-32',
  },
});

export const metadataOf = (nth: number, change: Partial<Metadata> = {}): Metadata => ({
  actor: { id: `user-${nth % 3}`, type: 'user', authMethod: 'admin-credential' },
  commandId: `command-${nth}`,
  commandHash: 'a'.repeat(64),
  correlationId: `correlation-${nth}`,
  causationId: `command-${nth}`,
  requestId: `request-${nth}`,
  ip: '192.0.2.7',
  userAgent: 'curl/8.5.0',
  reason: `reason ${nth}`,
  schemaVersion: 1,
  ...change,
});

/** An event to be written; `afterMs` since the one before it (0: in the same millisecond). */
export type Entry = Readonly<{
  stream: string;
  event: DomainEvent;
  afterMs?: number;
  metadata?: Partial<Metadata>;
}>;

const eventId = (nth: number): string =>
  `00000000-0000-4000-8000-${nth.toString(16).padStart(12, '0')}`;

/** The log that holds these entries: contiguous revisions, positions with gaps, a second between events unless said otherwise. */
export const recorded = (entries: readonly Entry[]): readonly Recorded<DomainEvent>[] => {
  const revisions = new Map<string, number>();
  let ms = FIRST_MS;
  return entries.map(({ stream, event, afterMs = 1000, metadata }, nth) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    ms += nth === 0 ? 0 : afterMs;
    const recordedAt = new Date(ms).toISOString();
    const place = { stream, revision, position: 100 + nth * 10, recordedAt };
    return { ...event, id: eventId(nth), ...place, metadata: metadataOf(nth, metadata) };
  });
};

export const onFlag = (key: string, event: FlagEvent, more: Partial<Entry> = {}): Entry => ({
  stream: flagStream(PROJECT_ID, key),
  event,
  ...more,
});

export const segmentContent = (key: string, projectId = PROJECT_ID): SegmentContent => ({
  projectId,
  key,
  name: `Segment ${key}`,
  description: '',
  tags: [],
  included: [],
  excluded: [],
  rules: [],
});

export const onSegment = (key: string, event: SegmentEvent, more: Partial<Entry> = {}): Entry => ({
  stream: segmentStream(PROJECT_ID, key),
  event,
  ...more,
});

export const onProject = (event: ProjectEvent, more: Partial<Entry> = {}): Entry => ({
  stream: projectStream(PROJECT_ID),
  event,
  ...more,
});

export const environmentAdded = (environment: string): ProjectEvent => ({
  type: 'EnvironmentAdded',
  data: {
    environment,
    name: environment,
    description: '',
    color: '#336699',
    isProduction: environment === 'production',
  },
});

/** A project with its environments, the beginning of most logs here. */
export const projectBegins: readonly Entry[] = [
  onProject({
    type: 'ProjectCreated',
    data: { organizationId: ORGANIZATION, key: PROJECT, name: 'Shop', description: '' },
  }),
  ...ENVIRONMENTS.map((environment) => onProject(environmentAdded(environment))),
];

type Step = Readonly<{
  flag: string;
  environment: string;
  kind: number;
  n: number;
  afterMs: number;
}>;

const step: fc.Arbitrary<Step> = fc.record({
  flag: fc.constantFrom('alpha', 'beta', 'Gamma'),
  environment: fc.constantFrom(...ENVIRONMENTS),
  kind: fc.nat(14),
  n: fc.nat(4),
  afterMs: fc.constantFrom(0, 0, 1, 250, 5000),
});

const VARIANTS = flagContent('any').variants;
const VARIANT_NAMES = [null, 'on', 'off', null, 'on'] as const;

const targetsOf = (n: number): readonly Target[] =>
  n === 0 ? [] : [{ variant: VARIANT_NAMES[n] ?? 'off', keys: [`user-${n}`, 'user-9'] }];

/** What a rule of number `n` asks: attributes, groups and segments. */
const CLAUSES: readonly (readonly Clause[])[] = [
  [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'] }],
  [{ segments: ['staff'] }, { attribute: 'age', operator: 'lessThan', values: [30], negate: true }],
  [{ anyOf: [{ segments: ['beta'] }, { attribute: 'beta', operator: 'in', values: [true] }] }],
  [{ segments: ['beta', 'staff'], negate: true }],
  [{ attribute: 'email', operator: 'endsWith', values: ['@b.org'], ignoreCase: true }],
];

const clausesOf = (n: number): readonly Clause[] => CLAUSES[n % CLAUSES.length] ?? [];

/** None, or up to three whose order, clauses and served variants vary. */
const rulesOf = (n: number): readonly Rule[] => {
  const rules = ['first', 'second', 'third'].slice(0, n).map((id, nth) => ({
    id,
    description: n > 2 ? `rule of ${n}` : '',
    clauses: clausesOf(n + nth),
    serve: nth === 1 ? splitServe(n * 20_000) : { variant: VARIANT_NAMES[n] ?? null },
  }));
  return n > 3 ? rules.toReversed() : rules;
};

const prerequisitesOf = (n: number): readonly Prerequisite[] =>
  n === 0 ? [] : [{ flagKey: n > 2 ? 'beta' : 'Gamma', variants: n % 2 === 0 ? ['on'] : ['off'] }];

/** Any change of a live flag; `n` varies its values. */
const changing = (past: readonly Flag[], { environment, kind, n }: Step): FlagEvent => {
  const data = { environment };
  const variant = VARIANT_NAMES[n] ?? null;
  const then = past[n % past.length] ?? absentFlag;
  const content = then.status === 'absent' ? flagContent('unused') : contentOf(then);
  const metadata = n === 0 ? {} : { owner: `team-${n}` };
  const words = { name: `Name ${n}`, description: 'd'.repeat(n), tags: [`t${n}`, 'all'] };
  const details = { ...words, ...(n > 1 && { metadata }) };
  const promoted = { ...configuration, enabled: n % 2 === 0 };
  const events: readonly FlagEvent[] = [
    { type: 'FlagEnabled', data },
    { type: 'FlagDisabled', data },
    { type: 'FlagRolloutChanged', data: { ...data, fallthrough: splitServe(n * 20_000) } },
    { type: 'FlagRolloutChanged', data: { ...data, fallthrough: { variant } } },
    { type: 'FlagTargetsChanged', data: { ...data, targets: targetsOf(n) } },
    { type: 'FlagOffVariantChanged', data: { ...data, offVariant: variant } },
    { type: 'FlagDetailsChanged', data: details },
    { type: 'FlagVariantsChanged', data: { variants: n > 1 ? VARIANTS : VARIANTS.toReversed() } },
    { type: 'FlagPromoted', data: { from: 'x', to: environment, configuration: promoted } },
    { type: 'FlagArchived', data: {} },
    { type: 'FlagUnarchived', data: {} },
    { type: 'FlagRulesChanged', data: { ...data, rules: rulesOf(n) } },
    {
      type: 'FlagPrerequisitesChanged',
      data: { ...data, prerequisites: prerequisitesOf(n) },
    },
    { type: 'FlagReverted', data: { content, status: 'active', fromRevision: n % past.length } },
  ];
  return events[kind] ?? { type: 'FlagDeleted', data: {} };
};

const entryOf = (past: readonly Flag[], taken: Step): Entry => {
  const { flag, afterMs } = taken;
  const last = past.at(-1) ?? absentFlag;
  if (last.status === 'absent') {
    return onFlag(flag, { type: 'FlagCreated', data: flagContent(flag) }, { afterMs });
  }
  if (last.status !== 'deleted') return onFlag(flag, changing(past, taken), { afterMs });
  const restored = {
    content: contentOf(last),
    status: last.statusBefore,
    fromRevision: past.length - 2,
  };
  return onFlag(flag, { type: 'FlagRestored', data: restored }, { afterMs });
};

/** Any change of a live segment; `n` varies its values. */
const changingSegment = (past: readonly Segment[], { kind, n }: Step): SegmentEvent => {
  const then = past[n % past.length] ?? absentSegment;
  const content = then.status === 'absent' ? segmentContent('unused') : segmentContentOf(then);
  const details = { name: `Name ${n}`, description: 'd'.repeat(n), tags: [`t${n}`] };
  const rules = rulesOf(n).map(({ serve, ...rule }) => rule);
  const keys = { included: [`user-${n}`, 'user-9'], excluded: n > 2 ? ['user-0'] : [] };
  const last = past.at(-1) ?? absentSegment;
  const { included, excluded } = last.status === 'absent' ? segmentContent('unused') : last;
  const more = Array.from({ length: 60 }, (_, nth) => `more-${n}-${nth}`).filter(
    (one) => !included.includes(one) && !excluded.includes(one),
  );
  const events: readonly SegmentEvent[] = [
    { type: 'SegmentKeysAdded', data: { included: more, excluded: [] } },
    {
      type: 'SegmentKeysRemoved',
      data: { included: included.slice(n, 2 * n), excluded: excluded.slice(n) },
    },
    { type: 'SegmentKeysAdded', data: { included: [], excluded: more.slice(0, 1) } },
    { type: 'SegmentKeysChanged', data: keys },
    { type: 'SegmentKeysChanged', data: { included: [], excluded: ['user-9'] } },
    { type: 'SegmentRulesChanged', data: { rules } },
    { type: 'SegmentDetailsChanged', data: details },
    { type: 'SegmentReverted', data: { content, fromRevision: n % past.length } },
    { type: 'SegmentDeleted', data: {} },
  ];
  return events[kind % events.length] ?? { type: 'SegmentDeleted', data: {} };
};

const segmentEvent = (past: readonly Segment[], key: string, taken: Step): SegmentEvent => {
  const last = past.at(-1) ?? absentSegment;
  if (last.status === 'absent') return { type: 'SegmentCreated', data: segmentContent(key) };
  if (last.status === 'active') return changingSegment(past, taken);
  const restored = { content: segmentContentOf(last), fromRevision: past.length - 2 };
  return { type: 'SegmentRestored', data: restored };
};

/** One of them has the key of a flag, which must never be taken for it. */
const SEGMENT_KEYS = ['staff', 'beta'] as const;

/** What the steps come to on segments, each in front of the entry of the same step on a flag, or nothing. */
const segmentEntriesOf = (steps: readonly Step[]): readonly (readonly Entry[])[] => {
  const past = new Map<string, readonly Segment[]>();
  return steps.map((taken) => {
    if (taken.n % 2 === 0) return [];
    const key = SEGMENT_KEYS[taken.kind % 2] ?? 'staff';
    const before = past.get(key) ?? [];
    const event = segmentEvent(before, key, taken);
    past.set(key, [...before, evolveSegment(before.at(-1) ?? absentSegment, event)]);
    return [onSegment(key, event, { afterMs: taken.afterMs })];
  });
};

const entriesOf = (steps: readonly Step[]): readonly Entry[] => {
  const past = new Map<string, readonly Flag[]>();
  return steps.map((taken) => {
    const before = past.get(taken.flag) ?? [];
    const entry = entryOf(before, taken);
    const next = evolveFlag(before.at(-1) ?? absentFlag, entry.event as FlagEvent);
    past.set(taken.flag, [...before, next]);
    return entry;
  });
};

/**
 * Random logs of one project: up to three flags and two segments, every kind of their events, several events in one
 * millisecond.
 */
export const logs = (maxLength = 40): fc.Arbitrary<readonly Recorded<DomainEvent>[]> =>
  fc.array(step, { minLength: 1, maxLength }).map((steps) => {
    const segments = segmentEntriesOf(steps);
    const entries = entriesOf(steps).flatMap((entry, nth) => [...(segments[nth] ?? []), entry]);
    return recorded([...projectBegins, ...entries]);
  });

/** What an operator says of an event: it is skipped. */
export const skipping = (stream: string, revision: number): Entry => ({
  stream: SKIPPED_EVENTS_STREAM,
  event: {
    type: 'EventSkipped',
    data: {
      ...{ stream, revision, position: 100, type: 'FlagPainted', error: 'unknown' },
      ...{ reason: 'not ours', by: 'anna', severity: 'critical' },
    },
  },
});
