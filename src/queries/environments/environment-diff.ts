import { type Change, changesInEnvironment } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { DomainError } from '../../domain/decider.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type ExistingSegment } from '../../domain/segment.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { flagRevisionAt, segmentRevisionAt } from '../entities/entity-at.js';
import { type Moment } from '../moments.js';
import { environmentIn, getProject } from '../projects.js';
import { slices } from '../slices.js';
import { type EnvironmentAddress } from './environment-state.js';

/** A flag or segment that applications in the environment see differently; a revision is null before it existed. */
export type Changed = Readonly<{
  key: string;
  fromRevision: number | null;
  toRevision: number | null;
  changes: readonly Change[];
}>;

export type EnvironmentDiff = Readonly<{
  from: Moment;
  to: Moment;
  /** By key; flags without a difference are left out. */
  flags: readonly Changed[];
  /** By key. */
  segments: readonly Changed[];
}>;

type Row<State> = {
  key: string;
  fromRevision: number | null;
  toRevision: number | null;
  before: State | null;
  after: State | null;
  /** Bytes of the state after it. */
  size: number | null;
};

const changedFlag =
  (environment: string, served: Readonly<{ from: boolean; to: boolean }>) =>
  ({ before, after, size: _, ...row }: Row<ExistingFlag>): Changed => ({
    ...row,
    changes: changesInEnvironment(
      served.from ? (before ?? undefined) : undefined,
      served.to ? (after ?? undefined) : undefined,
      environment,
    ),
  });

/** Names, descriptions and tags are for people; applications notice the rest. */
const NOT_NOTICED = ['/name', '/description', '/tags'];

const changedSegment = ({ before, after, size: _, ...row }: Row<ExistingSegment>): Changed => ({
  ...row,
  changes: segmentChangesBetween(before ?? undefined, after ?? undefined).filter(
    ({ path }) => !NOT_NOTICED.includes(path),
  ),
});

type Ends = Readonly<{ projectId: string; from: Moment; to: Moment }>;

/** Segments that differ, by key. */
const segmentRows =
  (db: Database, organizationId: string, { projectId, from, to }: Ends) =>
  async (last: Row<ExistingSegment> | undefined, count: number) => {
    const { rows } = await db.query<Row<ExistingSegment>>({
      organizationId,
      name: 'environment_diff_segments',
      text: `select s.key, b.revision::float8 as "fromRevision", a.revision::float8 as "toRevision",
                    b.state as before, a.state as after, octet_length(a.state::text) as size
               from segment s
               left join lateral (${segmentRevisionAt('$2')}) b on true
               left join lateral (${segmentRevisionAt('$3')}) a on true
              where s.project_id = $1
                and a.revision is distinct from b.revision
                and s.key > $4
              order by s.key
              limit $5`,
      values: [projectId, from.position, to.position, last?.key ?? '', count],
    });
    return rows;
  };

/** Flags that differ, by key; with `isEach` all of them. */
const flagRows =
  (db: Database, organizationId: string, { projectId, from, to }: Ends, isEach: boolean) =>
  async (last: Row<ExistingFlag> | undefined, count: number) => {
    const { rows } = await db.query<Row<ExistingFlag>>({
      organizationId,
      name: 'environment_diff',
      text: `select f.key, b.revision::float8 as "fromRevision", a.revision::float8 as "toRevision",
                    b.state as before, a.state as after, octet_length(a.state::text) as size
               from flag f
               left join lateral (${flagRevisionAt('$2')}) b on true
               left join lateral (${flagRevisionAt('$3')}) a on true
              where f.project_id = $1
                and (a.revision is distinct from b.revision or $4)
                and f.key > $5
              order by f.key
              limit $6`,
      values: [projectId, from.position, to.position, isEach, last?.key ?? '', count],
    });
    return rows;
  };

/** Those with a difference that applications notice. */
const noticed = async <R extends Row<unknown>>(
  found: AsyncGenerator<readonly R[]>,
  changed: (row: R) => Changed,
): Promise<readonly Changed[]> => {
  const all: Changed[] = [];
  for await (const rows of found)
    all.push(...rows.map(changed).filter(({ changes }) => changes.length > 0));
  return all;
};

/** Whether applications are served there: neither project nor environment was deleted, or not there yet. */
const isServed = async (
  db: Database,
  { environment, ...address }: EnvironmentAddress,
  moment: Moment,
): Promise<boolean> => {
  try {
    const project = await getProject(db)(address, moment);
    const { status } = environmentIn(project, environment);
    return status === 'active' && project.status === 'active';
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
};

/**
 * What changed for the applications of an environment from one position to another; `to` may be the earlier one. Where
 * the project or the environment was deleted, or not there yet, there are no flags.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, for the later of both
 */
export const environmentDiff =
  (db: Database) =>
  async (address: EnvironmentAddress, from: Moment, to: Moment): Promise<EnvironmentDiff> => {
    const later = from.position > to.position ? from : to;
    const { key } = environmentIn(await getProject(db)(address, later), address.environment);
    const projectId = projectIdOf(address.organizationId, address.project);
    const served = { from: await isServed(db, address, from), to: await isServed(db, address, to) };
    const { organizationId } = address;
    const ends = { projectId, from, to };
    const isEach = served.from !== served.to;
    const flags = slices(flagRows(db, organizationId, ends, isEach));
    const segments = slices(segmentRows(db, organizationId, ends));
    return {
      ...{ from, to },
      flags: await noticed(flags, changedFlag(key, served)),
      segments: await noticed(segments, changedSegment),
    };
  };
