import { type ExistingOf } from '../../domain/aggregates.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project.js';
import {
  organizationOf,
  organizationStream,
  projectIdOf,
  projectStream,
} from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type StateAt, type StateSource } from '../entities/entity-at.js';
import {
  type AddressOf,
  type Kind,
  KINDS,
  notFound,
  notYetCreated,
  type ViewOf,
} from '../entities/kinds.js';
import { type Moment } from '../moments.js';
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
export const entityKeys =
  (db: Database, kind: Kind) =>
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
      values: [organizationId, project, after, limit, kind],
    });
    return rows.map(({ key }) => key);
  };

/** A state as the read model holds it at a position. */
export type HeldState<State> = Readonly<{ state: State; revision: number; position: Position }>;

type Held<State> = Promise<HeldState<State> | undefined>;

type Identity = Readonly<
  { project_id?: string; organization_id?: string } & Record<string, string>
>;

/** The whole state of a row; a segment's may leave out its lists. */
const STATE = {
  flag_revision: KINDS.flag.wholeState('h'),
  segment_revision: KINDS.segment.wholeState('h'),
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

export const heldEntity =
  (db: Database) =>
  <K extends Kind>(
    kind: K,
    [projectId, key]: readonly [projectId: string, key: string],
    position: Position,
  ): Held<ExistingOf<K>> =>
    latest(db, `${kind}_revision`, { project_id: projectId, [`${kind}_key`]: key }, position);

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

const entityFrom =
  <K extends Kind>(kind: K) =>
  (log: EventLog) =>
  async (address: AddressOf<K>, moment: Moment): Promise<ViewOf<K>> => {
    const { view, streamOf } = KINDS[kind];
    const stream = streamOf(projectIdOf(address.organizationId, address.project), address[kind]);
    const replayed = await replay(log, kind, stream, moment.position);
    if (replayed.found === 'state') return view(replayed);
    if (replayed.found === 'later') throw notYetCreated(kind, address, replayed.createdAt);
    await projectFrom(log)(address, moment);
    throw notFound(kind, address);
  };

const entitiesFrom =
  <K extends Kind>(kind: K) =>
  (log: EventLog, db: Database) =>
  async (address: ProjectAddress, { position }: Moment): Promise<readonly StateAt<K>[]> => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const keys = await entityKeys(db, kind)(address, { limit: ALL });
    const states = await inBatches(keys, async (key): Promise<StateAt<K>[]> => {
      const replayed = await replay(log, kind, KINDS[kind].streamOf(projectId, key), position);
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
  flag: entityFrom('flag')(log),
  flags: entitiesFrom('flag')(log, db),
  segment: entityFrom('segment')(log),
  segments: entitiesFrom('segment')(log, db),
});
