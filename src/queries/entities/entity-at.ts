import { type Change } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type FlagContent } from '../../domain/flag/events.js';
import { contentOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { type Position } from '../../domain/position.js';
import { type ExistingSegment } from '../../domain/segment.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments.js';
import { type OrganizationView } from '../organizations.js';
import { getProject, type ProjectAddress, type ProjectView } from '../projects.js';
import { type Fact, factColumns, type Provenance, provenanceOf, timeText } from '../provenance.js';
import { segmentView, type SegmentView } from './segment-view.js';

/** How a flag was at one log position. */
export type FlagView = Omit<FlagContent, 'projectId'> &
  Readonly<{
    status: ExistingFlag['status'];
    /** What a deleted flag was before; null for a live one. */
    statusBefore: 'active' | 'archived' | null;
    /** Of its stream; grows by one with each change. */
    revision: number;
    createdAt: string;
    updatedAt: string;
    /** The event that made it what it was; of a deleted flag, its deletion. */
    lastChange: Provenance;
    /** When the next change came; null while nothing has. */
    heldUntil: Readonly<{ position: Position; recordedAt: string }> | null;
  }>;

/** What a view is made of; `last` is the event that led to `state`, `next` the one after it. */
type FlagMoment = Readonly<{
  state: ExistingFlag;
  createdAt: string | Date;
  last: Fact;
  next?: Readonly<{ position: Position; recordedAt: string | Date }> | undefined;
}>;

/** Of a deleted flag; null for a live one. */
export const statusBefore = (flag: ExistingFlag): FlagView['statusBefore'] =>
  flag.status === 'deleted' ? flag.statusBefore : null;

export const flagView = ({ state, createdAt, last, next }: FlagMoment): FlagView => {
  const { projectId, ...content } = contentOf(state);
  return {
    ...content,
    status: state.status,
    statusBefore: statusBefore(state),
    revision: last.revision,
    createdAt: timeText(createdAt),
    updatedAt: timeText(last.recordedAt),
    lastChange: provenanceOf(last),
    heldUntil: next ? { position: next.position, recordedAt: timeText(next.recordedAt) } : null,
  };
};

/** A flag joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type FlagRow = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingFlag | null;
  nextPosition: Position | null;
  nextAt: Date | null;
};

/**
 * The latest revision of flag `f` at or before a position, one step down an index per flag.
 * @param position the SQL of the position
 */
export const flagRevisionAt = (position: string): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, h.state
     from flag_revision h
    where h.project_id = f.project_id
      and h.flag_key = f.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/** Select list of a FlagRow, from flag f, its revision r and that revision's event e. */
const FLAG_COLUMNS = `f.key, f.created_at as "createdAt", r.state,
   r.position_to as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}`;

const flagViewOfRow = (row: FlagRow, state: ExistingFlag): FlagView => {
  const { nextPosition, nextAt } = row;
  const next =
    nextPosition === null || nextAt === null
      ? undefined
      : { position: nextPosition, recordedAt: nextAt };
  return flagView({ state, createdAt: row.createdAt, last: row, next });
};

export type FlagAddress = ProjectAddress & Readonly<{ flag: string }>;

export const flagNotFound = ({ project, flag }: FlagAddress): DomainError =>
  new DomainError('flag-not-found', `Project "${project}" has no flag "${flag}", and never had.`);

export const flagNotYetCreated = ({ flag }: FlagAddress, createdAt: string): DomainError =>
  new DomainError(
    'flag-not-yet-created',
    `Flag "${flag}" was created at ${createdAt}, after the moment asked for.`,
  );

const FLAG_AT_POSITION = `
  select ${FLAG_COLUMNS}
    from flag f
    left join lateral (${flagRevisionAt('$3')}) r on true
    left join audit_event e on e.position = r.position_from
   where f.project_id = $1
     and f.key = $2`;

/**
 * The flag at a position as the tables have it; `state` is null when it did not exist yet.
 * @throws DomainError project-not-found, flag-not-found
 */
export const readFlagRow =
  (db: Database) =>
  async (address: FlagAddress, moment: Moment): Promise<FlagRow> => {
    const { organizationId, project, flag } = address;
    const { rows } = await db.query<FlagRow>({
      organizationId,
      name: 'flag_at',
      text: FLAG_AT_POSITION,
      values: [projectIdOf(organizationId, project), flag, moment.position],
    });
    const [row] = rows;
    if (row !== undefined) return row;
    await getProject(db)(address, moment);
    throw flagNotFound(address);
  };

/**
 * A flag as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, flag-not-found, flag-not-yet-created
 */
export const getFlag =
  (db: Database) =>
  async (address: FlagAddress, moment: Moment): Promise<FlagView> => {
    const row = await readFlagRow(db)(address, moment);
    if (row.state === null) throw flagNotYetCreated(address, row.createdAt.toISOString());
    return flagViewOfRow(row, row.state);
  };

/** A segment joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type SegmentRow = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingSegment | null;
  nextPosition: Position | null;
  nextAt: Date | null;
};

/** The SQL of the whole state of a row of `segment_revision`; the row itself may leave out the lists of keys. */
export const wholeSegmentState = (row: string): string =>
  `segment_state(${row}.project_id, ${row}.segment_key, ${row}.revision, ${row}.state, ${row}.keys_from)`;

/** A state as a row of a segment has it: without its lists it says how long they are. */
export type StoredSegment = Omit<ExistingSegment, 'included' | 'excluded'> &
  Partial<Pick<ExistingSegment, 'included' | 'excluded'>> &
  Readonly<{ counts?: Readonly<{ included: number; excluded: number }> }>;

type KeyLists = Readonly<Pick<ExistingSegment, 'included' | 'excluded'>>;

const NO_KEYS: KeyLists = { included: [], excluded: [] };

/** Events that say by themselves what came or went. */
const CHANGES_OF_LISTS = ['SegmentKeysAdded', 'SegmentKeysRemoved'];

/** Events for which both states must be whole: what changed of the lists follows from these alone. */
export const needsWholeLists = (event: string): string =>
  `(${event}.type in ('SegmentKeysChanged', 'SegmentRestored', 'SegmentReverted')
    and ${event}.data -> 'keysKept' is null)`;

type SegmentStep = Readonly<{
  type: string;
  data: JsonObject;
  before: StoredSegment | null;
  after: StoredSegment | null;
}>;

/**
 * What an event changed in a segment, from the states of the rows before and after it. Where one leaves out its lists,
 * they are taken from the event, or are the same in both.
 */
export const segmentStepChanges = ({
  type,
  data,
  before,
  after,
}: SegmentStep): readonly Change[] => {
  const told: KeyLists = CHANGES_OF_LISTS.includes(type) ? { ...NO_KEYS, ...data } : NO_KEYS;
  const isPartial =
    told !== NO_KEYS || before?.included === undefined || after?.included === undefined;
  const whole = (state: StoredSegment | null, lists: KeyLists): ExistingSegment | undefined =>
    state === null
      ? undefined
      : { ...NO_KEYS, ...state, ...(isPartial && before !== null ? lists : {}) };
  return segmentChangesBetween(
    whole(before, type === 'SegmentKeysRemoved' ? told : NO_KEYS),
    whole(after, type === 'SegmentKeysAdded' ? told : NO_KEYS),
  );
};

const segmentStateRevisionAt = (position: string, state: string): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, ${state} as state
     from segment_revision h
    where h.project_id = s.project_id
      and h.segment_key = s.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/**
 * The latest revision of segment `s` at or before a position, one step down an index per segment.
 * @param position the SQL of the position
 */
export const segmentRevisionAt = (position: string): string =>
  segmentStateRevisionAt(position, wholeSegmentState('h'));

/** The same with the state as the row has it (StoredSegment). */
export const storedRevisionAt = (position: string): string =>
  segmentStateRevisionAt(position, 'h.state');

/** Select list of a SegmentRow, from segment s, its revision r and that revision's event e. */
const SEGMENT_COLUMNS = `s.key, s.created_at as "createdAt", r.state,
   r.position_to as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}`;

const segmentViewOfRow = (row: SegmentRow, state: ExistingSegment): SegmentView => {
  const { nextPosition, nextAt } = row;
  const next =
    nextPosition === null || nextAt === null
      ? undefined
      : { position: nextPosition, recordedAt: nextAt };
  return segmentView({ state, createdAt: row.createdAt, last: row, next });
};

export type SegmentAddress = ProjectAddress & Readonly<{ segment: string }>;

export const segmentNotFound = ({ project, segment }: SegmentAddress): DomainError =>
  new DomainError(
    'segment-not-found',
    `Project "${project}" has no segment "${segment}", and never had.`,
  );

export const segmentNotYetCreated = ({ segment }: SegmentAddress, createdAt: string): DomainError =>
  new DomainError(
    'segment-not-yet-created',
    `Segment "${segment}" was created at ${createdAt}, after the moment asked for.`,
  );

const SEGMENT_AT_POSITION = `
  select ${SEGMENT_COLUMNS}
    from segment s
    left join lateral (${segmentRevisionAt('$3')}) r on true
    left join audit_event e on e.position = r.position_from
   where s.project_id = $1
     and s.key = $2`;

/**
 * The segment at a position as the tables have it; `state` is null when it did not exist yet.
 * @throws DomainError project-not-found, segment-not-found
 */
export const readSegmentRow =
  (db: Database) =>
  async (address: SegmentAddress, moment: Moment): Promise<SegmentRow> => {
    const { organizationId, project, segment } = address;
    const { rows } = await db.query<SegmentRow>({
      organizationId,
      name: 'segment_at',
      text: SEGMENT_AT_POSITION,
      values: [projectIdOf(organizationId, project), segment, moment.position],
    });
    const [row] = rows;
    if (row !== undefined) return row;
    await getProject(db)(address, moment);
    throw segmentNotFound(address);
  };

/**
 * A segment as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, segment-not-found, segment-not-yet-created
 */
export const getSegment =
  (db: Database) =>
  async (address: SegmentAddress, moment: Moment): Promise<SegmentView> => {
    const row = await readSegmentRow(db)(address, moment);
    if (row.state === null) throw segmentNotYetCreated(address, row.createdAt.toISOString());
    return segmentViewOfRow(row, row.state);
  };

/** A state with the revision that it is, and where and when that was recorded. */
type Taken<State> = Readonly<{
  state: State;
  revision: number;
  position: Position;
  recordedAt: string | Date;
}>;

export type FlagState = Taken<ExistingFlag>;
export type SegmentState = Taken<ExistingSegment>;

/** Where states of the past come from: the read model, or the log itself. Both must give the same answers. */
export type StateSource = Readonly<{
  /** @throws DomainError organization-not-found */
  organization: (organizationId: string, moment: Moment) => Promise<OrganizationView>;
  /** @throws DomainError project-not-found, project-not-yet-created */
  project: (address: ProjectAddress, moment: Moment) => Promise<ProjectView>;
  /** @throws DomainError project-not-found, flag-not-found, flag-not-yet-created */
  flag: (address: FlagAddress, moment: Moment) => Promise<FlagView>;
  /** Every flag of a project that existed then, by key, deleted ones too. */
  flags: (address: ProjectAddress, moment: Moment) => Promise<readonly FlagState[]>;
  /** @throws DomainError project-not-found, segment-not-found, segment-not-yet-created */
  segment: (address: SegmentAddress, moment: Moment) => Promise<SegmentView>;
  /** Every segment of a project that existed then, by key, deleted ones too. */
  segments: (address: ProjectAddress, moment: Moment) => Promise<readonly SegmentState[]>;
}>;
