import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type ExistingOrganization } from '../../domain/organization.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { type ExistingSegment } from '../../domain/segment.js';
import { type SkippedEvents } from '../../domain/skipped-events.js';
import { type Category } from '../../domain/streams.js';
import { type ListBase } from './segment-lists.js';

type Place = Readonly<{ revision: number; position: Position }>;
export type TrackedProject = Place &
  Readonly<{ category: 'project'; projectId: string; state: ExistingProject }>;
export type TrackedFlag = Place &
  Readonly<{ category: 'flag'; projectId: string; key: string; state: ExistingFlag }>;
export type TrackedSegment = Place &
  Readonly<{
    category: 'segment';
    projectId: string;
    key: string;
    state: ExistingSegment;
    lists?: ListBase;
  }>;
type TrackedOrganization = Place &
  Readonly<{ category: 'organization'; organizationId: string; state: ExistingOrganization }>;
/** Streams whose events only the audit trail holds. */
export type OtherCategory = Exclude<Category, WithState['category']>;
type TrackedOther = Place & Readonly<{ category: OtherCategory }>;

/**
 * A stream that stands still in front of an event that cannot be applied; its later events wait in the log. Revision and
 * position are those of the last of them.
 */
export type TrackedParked = Place &
  Readonly<{
    category: 'parked';
    /** The event in front of which it stands, and why. */
    since: Place & Readonly<{ type: string; recordedAt: string; error: string }>;
    /** How many events came after that one. */
    waiting: number;
  }>;

/** A stream of which this event was skipped; `before` is what it was, and still is. */
export type TrackedSkipped = Place &
  Readonly<{ category: 'skipped'; before: Exclude<Tracked, TrackedSkipped> | undefined }>;

/** A stream of which the rows have the state. */
export type WithState = TrackedProject | TrackedFlag | TrackedSegment | TrackedOrganization;

/** Where a stream stands, and the state that its events make. */
export type Tracked = WithState | TrackedOther | TrackedParked | TrackedSkipped;

/** The state of a stream, whatever was skipped since. */
export const heldBy = (tracked: Tracked | undefined): TrackedSkipped['before'] =>
  tracked?.category === 'skipped' ? tracked.before : tracked;

/** A stream as its rows have it, with the last of its events that were skipped; `below`: those in front of a revision. */
export const behindSkipped = (
  stream: string,
  before: TrackedSkipped['before'],
  skipped: SkippedEvents,
  below = Infinity,
): Tracked | undefined => {
  const revisions = [...(skipped.get(stream) ?? [])].filter((revision) => revision < below);
  const revision = Math.max(-1, ...revisions);
  return revision > (before?.revision ?? -1)
    ? { category: 'skipped', before, revision, position: before?.position ?? -1 }
    : before;
};
