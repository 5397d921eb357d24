import { type Position } from '../../domain/position.js';
import { NOTHING_SKIPPED, type SkippedEvents } from '../../domain/skipped-events.js';
import { parseStream, type StreamParts } from '../../domain/streams.js';
import { type LogEvent } from '../event-log.js';
import { evolved } from './aggregates.js';
import { heldBy, type Tracked, type TrackedParked } from './tracked.js';
import { isAuditable, storableText, understand } from './understand.js';

/**
 * One event and what its stream became by it. `recordedAt` of the event never decreases along the log; `storedAt` is the
 * store's own time of it.
 */
export type Step = Readonly<{
  event: LogEvent;
  storedAt: string;
  parts: StreamParts;
  after: Tracked;
  /** The revision that the stream stood at before; -1 for none. */
  previous: number;
  /** False when its data or metadata cannot be stored: the audit trail then has its place only. */
  isAuditable: boolean;
}>;

export type Folded = Readonly<{ steps: readonly Step[] }>;

/** Events that Postgres would not take: log position → why, and whether the audit trail took them. */
export type Refusals = ReadonlyMap<Position, Readonly<{ error: string; isAuditable: boolean }>>;

/** Events that are not applied although they could be. */
export type Exceptions = Readonly<{ refusals: Refusals; skipped: SkippedEvents }>;

export const NO_EXCEPTIONS: Exceptions = { refusals: new Map(), skipped: NOTHING_SKIPPED };

/** Nothing of ours may lie between an event and the one that its stream stands at. */
const checkRevision = ({ revision, follows }: LogEvent, before: Tracked | undefined): void => {
  const last = before?.revision ?? -1;
  if (revision <= last || (follows ?? revision - 1) > last)
    throw new Error(`Revision ${last + 1} of the stream should come next, not ${revision}.`);
};

/** An event of a stream of ours, and the running maximum of the times so far. */
type Found = Readonly<{ raw: LogEvent; parts: StreamParts; recordedAt: string }>;

const appliedStep = ({ raw, parts, recordedAt }: Found, before: Tracked | undefined): Step => {
  const event = understand(raw, parts);
  checkRevision(event, before);
  const { revision, position } = event;
  const held = heldBy(before);
  const after: Tracked = { ...evolved(event, parts, held), revision, position };
  const storedAt = raw.recordedAt;
  const previous = held?.revision ?? -1;
  return { event: { ...event, recordedAt }, storedAt, parts, after, previous, isAuditable: true };
};

const messageOf = (error: unknown): string =>
  storableText(error instanceof Error ? error.message : String(error));

const parkedAt = (
  { raw: { revision, position, type }, recordedAt }: Found,
  before: Tracked | undefined,
  error: string,
): TrackedParked => {
  if (before?.category === 'parked')
    return { ...before, revision, position, waiting: before.waiting + 1 };
  const since = { revision, position, type: storableText(type), recordedAt, error };
  return { category: 'parked', since, waiting: 0, revision, position };
};

/** The step of an event that is not applied, now or before its stream is replayed. */
const parkedStep = (found: Found, before: Tracked | undefined, error: string): Step => ({
  event: { ...found.raw, recordedAt: found.recordedAt },
  storedAt: found.raw.recordedAt,
  parts: found.parts,
  after: parkedAt(found, before, error),
  previous: before?.revision ?? -1,
  isAuditable: isAuditable(found.raw),
});

/** The step of an event that is skipped: the audit trail has it, and its stream stays as it was. */
const skippedStep = (found: Found, before: ReturnType<typeof heldBy>): Step => {
  const { revision, position } = found.raw;
  const after = { category: 'skipped', before, revision, position } as const;
  return { ...parkedStep(found, before, ''), after };
};

const refusedStep = (
  found: Found,
  before: Tracked | undefined,
  { error, isAuditable: isTaken }: NonNullable<ReturnType<Refusals['get']>>,
): Step => {
  const step = parkedStep(found, before, error);
  return { ...step, isAuditable: step.isAuditable && isTaken };
};

const isSkipped = ({ raw }: Found, skipped: SkippedEvents): boolean =>
  skipped.get(raw.stream)?.has(raw.revision) === true;

const stepOf = (
  found: Found,
  before: Tracked | undefined,
  { refusals, skipped }: Exceptions,
): Step => {
  const isParked = before?.category === 'parked';
  if (!isParked && isSkipped(found, skipped)) return skippedStep(found, heldBy(before));
  const refusal = refusals.get(found.raw.position);
  if (refusal !== undefined) return refusedStep(found, before, refusal);
  if (isParked) return parkedStep(found, before, '');
  try {
    return appliedStep(found, before);
  } catch (error) {
    return parkedStep(found, before, messageOf(error));
  }
};

/**
 * Folds events in log order over what their streams were before. A stream with an event that cannot be applied is parked
 * in front of it; events of streams that are none of ours are left out, and those that an operator said to skip. Pure; never throws.
 * `recordedAt` is the running maximum so far: a store's clock that steps back cannot reorder history.
 */
export const foldEvents = (
  events: readonly LogEvent[],
  lookUp: (stream: string) => Tracked | undefined,
  recordedAt: string | null,
  exceptions: Exceptions = NO_EXCEPTIONS,
): Folded => {
  const steps: Step[] = [];
  const latest = new Map<string, Tracked>();
  let clock = recordedAt ?? '';
  for (const raw of events) {
    const parts = parseStream(raw.stream);
    if (parts === undefined) continue;
    clock = raw.recordedAt > clock ? raw.recordedAt : clock;
    const before = latest.get(raw.stream) ?? lookUp(raw.stream);
    const step = stepOf({ raw, parts, recordedAt: clock }, before, exceptions);
    latest.set(raw.stream, step.after);
    steps.push(step);
  }
  return { steps };
};
