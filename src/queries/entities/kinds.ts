import { type ExistingOf } from '../../domain/aggregates.js';
import { type Change, changesBetween } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type FlagContent } from '../../domain/flag/events.js';
import { contentOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type SegmentContent, segmentContentOf } from '../../domain/segment.js';
import { flagStream, segmentStream } from '../../domain/streams.js';
import { type ProjectAddress } from '../projects.js';
import { type Fact, type Provenance, provenanceOf, timeText } from '../provenance.js';

/** What is in a project and has a history of its own: the same questions are asked of all of them. */
export type Kind = 'flag' | 'segment';

export type AddressOf<K extends Kind> = ProjectAddress & Readonly<{ [Name in K]: string }>;
export type FlagAddress = AddressOf<'flag'>;
export type SegmentAddress = AddressOf<'segment'>;

/** Where a state stands in its history. */
type Held<Status> = Readonly<{
  status: Status;
  /** Revision of its stream; grows by one with each change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The event that made it what it was; of what is deleted, its deletion. */
  lastChange: Provenance;
  /** When the next change came; null while nothing has. */
  heldUntil: Readonly<{ position: Position; recordedAt: string }> | null;
}>;

/** How a flag was at one log position. */
export type FlagView = Omit<FlagContent, 'projectId'> &
  Held<ExistingFlag['status']> &
  Readonly<{
    /** What a deleted flag was before; null for a live one. */
    statusBefore: 'active' | 'archived' | null;
  }>;

/** How a segment was at one log position. */
export type SegmentView = Omit<SegmentContent, 'projectId'> & Held<ExistingOf<'segment'>['status']>;

type Views = Readonly<{ flag: FlagView; segment: SegmentView }>;
export type ViewOf<K extends Kind> = Views[K];

/** What a view is made of; `last` is the event that led to `state`, `next` the one after it. */
type MomentOf<K extends Kind> = Readonly<{
  state: ExistingOf<K>;
  createdAt: string | Date;
  last: Fact;
  next?: Readonly<{ position: Position; recordedAt: string | Date }> | undefined;
}>;

const held = <K extends Kind>({ state, createdAt, last, next }: MomentOf<K>) => ({
  status: state.status,
  revision: last.revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(last.recordedAt),
  lastChange: provenanceOf(last),
  heldUntil: next ? { position: next.position, recordedAt: timeText(next.recordedAt) } : null,
});

/** For a deleted flag; null for a live one. */
export const statusBefore = (flag: ExistingFlag): FlagView['statusBefore'] =>
  flag.status === 'deleted' ? flag.statusBefore : null;

const flagView = (moment: MomentOf<'flag'>): FlagView => {
  const { projectId, ...content } = contentOf(moment.state);
  const { status } = moment.state;
  return { ...content, ...held(moment), status, statusBefore: statusBefore(moment.state) };
};

const segmentView = (moment: MomentOf<'segment'>): SegmentView => {
  const { projectId, ...content } = segmentContentOf(moment.state);
  return { ...content, ...held(moment), status: moment.state.status };
};

/** The SQL of the whole state of a row of `segment_revision`; the row itself may leave out the lists of keys. */
export const wholeSegmentState = (row: string): string =>
  `segment_state(${row}.project_id, ${row}.segment_key, ${row}.revision, ${row}.state, ${row}.keys_from)`;

/** What the kinds differ in. */
export const KINDS: {
  readonly [K in Kind]: Readonly<{
    name: string;
    streamOf: (projectId: string, key: string) => string;
    view: (moment: MomentOf<K>) => ViewOf<K>;
    changesBetween: (
      before: ExistingOf<K> | undefined,
      after: ExistingOf<K> | undefined,
    ) => readonly Change[];
    /** SQL of the whole state of a row of its table of revisions. */
    wholeState: (row: string) => string;
    notFound: (message: string) => DomainError;
    notYetCreated: (message: string) => DomainError;
  }>;
} = {
  flag: {
    name: 'Flag',
    streamOf: flagStream,
    view: flagView,
    changesBetween,
    wholeState: (row) => `${row}.state`,
    notFound: (message) => new DomainError('flag-not-found', message),
    notYetCreated: (message) => new DomainError('flag-not-yet-created', message),
  },
  segment: {
    name: 'Segment',
    streamOf: segmentStream,
    view: segmentView,
    changesBetween: segmentChangesBetween,
    wholeState: wholeSegmentState,
    notFound: (message) => new DomainError('segment-not-found', message),
    notYetCreated: (message) => new DomainError('segment-not-yet-created', message),
  },
};

export const notFound = <K extends Kind>(kind: K, address: AddressOf<K>): DomainError =>
  KINDS[kind].notFound(
    `Project "${address.project}" has no ${kind} "${address[kind]}", and never had.`,
  );

export const notYetCreated = <K extends Kind>(
  kind: K,
  address: AddressOf<K>,
  createdAt: string,
): DomainError => {
  const { name, notYetCreated: refused } = KINDS[kind];
  return refused(
    `${name} "${address[kind]}" was created at ${createdAt}, after the moment asked for.`,
  );
};
