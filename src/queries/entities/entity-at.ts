import { type ExistingOf } from '../../domain/aggregates.js';
import { type Position } from '../../domain/position.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments.js';
import { type OrganizationView } from '../organizations.js';
import { getProject, type ProjectAddress, type ProjectView } from '../projects.js';
import { type Fact, factColumns } from '../provenance.js';
import {
  type AddressOf,
  type FlagAddress,
  type FlagView,
  type Kind,
  KINDS,
  notFound,
  notYetCreated,
  type SegmentAddress,
  type SegmentView,
  type ViewOf,
} from './kinds.js';

/** One joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type RowOf<K extends Kind> = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingOf<K> | null;
  nextPosition: Position | null;
  nextAt: Date | null;
};

const revisionAt = (
  kind: Kind,
  alias: string,
  position: string,
  state = KINDS[kind].wholeState('h'),
): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, ${state} as state
     from ${kind}_revision h
    where h.project_id = ${alias}.project_id
      and h.${kind}_key = ${alias}.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/**
 * The latest revision of flag `f` at or before a position, one step down an index per flag.
 * @param position the SQL of the position
 */
export const flagRevisionAt = (position: string): string => revisionAt('flag', 'f', position);

/** The same of segment `s`. */
export const segmentRevisionAt = (position: string): string => revisionAt('segment', 's', position);

/** The same with the state as the row has it (StoredSegment). */
export const storedRevisionAt = (position: string): string =>
  revisionAt('segment', 's', position, 'h.state');

const textAt = (kind: Kind): string => `
  select t.key, t.created_at as "createdAt", r.state,
         r.position_to as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}
    from ${kind} t
    left join lateral (${revisionAt(kind, 't', '$3')}) r on true
    left join audit_event e on e.position = r.position_from
   where t.project_id = $1
     and t.key = $2`;

const AT = { flag: textAt('flag'), segment: textAt('segment') };

/**
 * One at a position as the tables have it; `state` is null when it did not exist yet.
 * @throws DomainError project-not-found, flag-not-found, segment-not-found
 */
export const readRow =
  <K extends Kind>(kind: K) =>
  (db: Database) =>
  async (address: AddressOf<K>, moment: Moment): Promise<RowOf<K>> => {
    const { organizationId, project } = address;
    const { rows } = await db.query<RowOf<K>>({
      organizationId,
      name: `${kind}_at`,
      text: AT[kind],
      values: [projectIdOf(organizationId, project), address[kind], moment.position],
    });
    const [row] = rows;
    if (row !== undefined) return row;
    await getProject(db)(address, moment);
    throw notFound(kind, address);
  };

/**
 * One as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, and of its kind -not-found, -not-yet-created
 */
const entityAt =
  <K extends Kind>(kind: K) =>
  (db: Database) =>
  async (address: AddressOf<K>, moment: Moment): Promise<ViewOf<K>> => {
    const row = await readRow(kind)(db)(address, moment);
    const { state, createdAt, nextPosition, nextAt } = row;
    if (state === null) throw notYetCreated(kind, address, createdAt.toISOString());
    const next =
      nextPosition === null || nextAt === null
        ? undefined
        : { position: nextPosition, recordedAt: nextAt };
    return KINDS[kind].view({ state, createdAt, last: row, next });
  };

export const getFlag = entityAt('flag');
export const getSegment = entityAt('segment');

/** A state with the revision that it is, and where and when that was recorded. */
type Taken<State> = Readonly<{
  state: State;
  revision: number;
  position: Position;
  recordedAt: string | Date;
}>;

export type StateAt<K extends Kind> = Taken<ExistingOf<K>>;
export type FlagState = StateAt<'flag'>;
export type SegmentState = StateAt<'segment'>;

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

/** All of a kind in a project that existed at a position, by key, deleted ones too. */
const statesAt =
  <K extends Kind>(kind: K) =>
  (db: Database) =>
  async (
    { organizationId, project }: ProjectAddress,
    moment: Moment,
  ): Promise<readonly StateAt<K>[]> => {
    const { rows } = await db.query<StateAt<K>>({
      organizationId,
      name: `${kind}_states_at`,
      text: `select r.state, r.revision::float8 as revision,
                    r.position_from as position, r.recorded_from as "recordedAt"
               from ${kind} t
              cross join lateral (${revisionAt(kind, 't', '$2')}) r
              where t.project_id = $1
              order by t.key`,
      values: [projectIdOf(organizationId, project), moment.position],
    });
    return rows;
  };

export const flagStatesAt = statesAt('flag');
export const segmentStatesAt = statesAt('segment');
