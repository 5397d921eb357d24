import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import { type ExistingSegment } from '../../domain/segment.js';
import {
  flagStream,
  organizationOf,
  organizationStream,
  projectIdOf,
  projectStream,
  segmentStream,
} from '../../domain/streams.js';
import { type Database } from '../database.js';
import {
  flagNotFound,
  flagNotYetCreated,
  type FlagState,
  flagView,
  segmentNotFound,
  segmentNotYetCreated,
  type SegmentState,
  type StateSource,
  wholeSegmentState,
} from '../entities/entity-at.js';
import { segmentView } from '../entities/segment-view.js';
import { organizationNotFound, organizationView } from '../organizations.js';
import {
  type ProjectAddress,
  projectNotFound,
  projectNotYetCreated,
  projectView,
} from '../projects.js';
import { type EventLog, inBatches, replay } from './replay.js';

/** Keys come after `after`; at most `limit` of them. */
type KeyRange = Readonly<{ after?: string; limit: number }>;

/**
 * Keys of all flags, or all segments, that a project ever had, in order, as the audit trail knows them: apart from the
 * tables of states, so that a state that is missing there is noticed. Skips from key to key along the index.
 */
const entityKeys =
  (db: Database, category: 'flag' | 'segment') =>
  async (
    { organizationId, project }: ProjectAddress,
    { after = '', limit }: KeyRange,
  ): Promise<readonly string[]> => {
    const { rows } = await db.query<{ key: string }>({
      name: 'entity_keys',
      text: `with recursive found (key) as (
               (select e.entity_key
                  from audit_event e
                 where e.organization_id = $1 and e.project_key = $2 and e.entity_key > $3
                 order by e.entity_key
                 limit 1)
               union all
               select (select e.entity_key
                         from audit_event e
                        where e.organization_id = $1 and e.project_key = $2 and e.entity_key > found.key
                        order by e.entity_key
                        limit 1)
                 from found
                where found.key is not null
             )
             select found.key
               from found
              where found.key is not null
                and exists (select
                              from audit_event a
                             where a.stream = $5 || '-' || $1 || ':' || $2 || ':' || found.key)
              order by found.key
              limit $4`,
      values: [organizationId, project, after, limit, category],
    });
    return rows.map(({ key }) => key);
  };

export const flagKeys = (db: Database) => entityKeys(db, 'flag');
export const segmentKeys = (db: Database) => entityKeys(db, 'segment');

/** A state as the read model holds it at a position. */
export type HeldState<State> = Readonly<{ state: State; revision: number; position: Position }>;

type Held<State> = Promise<HeldState<State> | undefined>;

type Identity = Readonly<
  { project_id?: string; organization_id?: string } & Record<string, string>
>;

/** The whole state of a row; a segment's may leave out its lists. */
const STATE = {
  flag_revision: 'h.state',
  segment_revision: wholeSegmentState('h'),
  project_revision: 'h.state',
  organization_revision: 'h.state',
} as const;

/**
 * The latest row of a table of revisions at or before a position. Read by itself, apart from the current tables, so
 * that a missing row there hides nothing. `identity`: columns of the table and what they must be.
 */
const latest = async <State>(
  db: Database,
  table: keyof typeof STATE,
  identity: Identity,
  position: Position,
): Held<State> => {
  const { project_id: projectId, organization_id: organizationId } = identity;
  const columns = Object.keys(identity);
  const isSame = columns.map((column, nth) => `h.${column} = $${nth + 2}`).join(' and ');
  const { rows } = await db.query<HeldState<State>>({
    organizationId: organizationId ?? organizationOf(projectId ?? ''),
    name: `held_${table}`,
    text: `select ${STATE[table]} as state, h.revision::float8 as revision, h.position_from as position
             from ${table} h
            where h.position_from <= $1
              and ${isSame}
            order by h.position_from desc
            limit 1`,
    values: [position, ...Object.values(identity)],
  });
  return rows[0];
};

export const heldFlag =
  (db: Database) =>
  (projectId: string, flag: string, position: Position): Held<ExistingFlag> =>
    latest(db, 'flag_revision', { project_id: projectId, flag_key: flag }, position);

export const heldSegment =
  (db: Database) =>
  (projectId: string, segment: string, position: Position): Held<ExistingSegment> =>
    latest(db, 'segment_revision', { project_id: projectId, segment_key: segment }, position);

export const heldProject =
  (db: Database) =>
  (projectId: string, position: Position): Held<ExistingProject> =>
    latest(db, 'project_revision', { project_id: projectId }, position);

/** More flags or segments than a project can sensibly have. */
const ALL = 1_000_000;

const projectFrom =
  (log: EventLog): StateSource['project'] =>
  async ({ organizationId, project }, { position }) => {
    const replayed = await replay(
      log,
      'project',
      projectStream(projectIdOf(organizationId, project)),
      position,
    );
    if (replayed.found === 'nothing') throw projectNotFound(project);
    if (replayed.found === 'later') throw projectNotYetCreated(project, replayed.createdAt);
    return projectView(replayed.state, replayed.createdAt, replayed.last);
  };

const organizationFrom =
  (log: EventLog): StateSource['organization'] =>
  async (organizationId, { position }) => {
    const replayed = await replay(
      log,
      'organization',
      organizationStream(organizationId),
      position,
    );
    if (replayed.found !== 'state') throw organizationNotFound();
    return organizationView(organizationId, replayed.state, replayed.createdAt, replayed.last);
  };

const flagFrom =
  (log: EventLog): StateSource['flag'] =>
  async (address, moment) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const replayed = await replay(
      log,
      'flag',
      flagStream(projectId, address.flag),
      moment.position,
    );
    if (replayed.found === 'state') return flagView(replayed);
    if (replayed.found === 'later') throw flagNotYetCreated(address, replayed.createdAt);
    await projectFrom(log)(address, moment);
    throw flagNotFound(address);
  };

const flagsFrom =
  (log: EventLog, db: Database): StateSource['flags'] =>
  async (address, { position }) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const keys = await flagKeys(db)(address, { limit: ALL });
    const states = await inBatches(keys, async (key): Promise<FlagState[]> => {
      const replayed = await replay(log, 'flag', flagStream(projectId, key), position);
      return replayed.found === 'state' ? [{ ...replayed.last, state: replayed.state }] : [];
    });
    return states.flat();
  };

const segmentFrom =
  (log: EventLog): StateSource['segment'] =>
  async (address, moment) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const replayed = await replay(
      log,
      'segment',
      segmentStream(projectId, address.segment),
      moment.position,
    );
    if (replayed.found === 'state') return segmentView(replayed);
    if (replayed.found === 'later') throw segmentNotYetCreated(address, replayed.createdAt);
    await projectFrom(log)(address, moment);
    throw segmentNotFound(address);
  };

const segmentsFrom =
  (log: EventLog, db: Database): StateSource['segments'] =>
  async (address, { position }) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const keys = await segmentKeys(db)(address, { limit: ALL });
    const states = await inBatches(keys, async (key): Promise<SegmentState[]> => {
      const replayed = await replay(log, 'segment', segmentStream(projectId, key), position);
      return replayed.found === 'state' ? [{ ...replayed.last, state: replayed.state }] : [];
    });
    return states.flat();
  };

/**
 * States replayed from the event store. Which flags and segments a project has is the one thing asked of the read model
 * (its audit trail), because the log has no list of streams; each of their states is folded from the log alone.
 */
export const logSource = (log: EventLog, db: Database): StateSource => ({
  organization: organizationFrom(log),
  project: projectFrom(log),
  flag: flagFrom(log),
  flags: flagsFrom(log, db),
  segment: segmentFrom(log),
  segments: segmentsFrom(log, db),
});
