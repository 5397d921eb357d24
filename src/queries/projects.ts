import { DomainError } from '../domain/decider.js';
import { type Position } from '../domain/position.js';
import { type Environment, type ExistingProject } from '../domain/project.js';
import { projectIdOf } from '../domain/streams.js';
import { type Database } from './database.js';
import { decodeCursor, DEFAULT_LIMIT, type Page, pageOf } from './paging.js';
import { type Fact, factColumns, type Provenance, provenanceOf, timeText } from './provenance.js';

/** A project as it was at one log position. */
export type ProjectView = Readonly<{
  key: string;
  name: string;
  description: string;
  status: ExistingProject['status'];
  environments: readonly Environment[];
  /** Revision of its stream; grows by one with each change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** The event that made it what it was. */
  lastChange: Provenance;
}>;

export const projectView = (
  { status, key, name, description, environments }: ExistingProject,
  createdAt: string | Date,
  last: Fact,
): ProjectView => ({
  key,
  name,
  description,
  status,
  environments,
  revision: last.revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(last.recordedAt),
  lastChange: provenanceOf(last),
});

/**
 * An environment of a project as it was then; a deleted one is an answer too.
 * @throws DomainError environment-not-found
 */
export const environmentIn = (
  { key, environments }: Pick<ProjectView, 'key' | 'environments'>,
  environment: string,
): Environment => {
  const found = environments.find((candidate) => candidate.key === environment);
  if (found !== undefined) return found;
  throw new DomainError(
    'environment-not-found',
    `Project "${key}" had no environment "${environment}" at that moment.`,
  );
};

/** Keys of the environments that are not deleted, in the order they were added. */
export const activeEnvironments = ({
  environments,
}: Pick<ProjectView, 'environments'>): readonly string[] =>
  environments.flatMap(({ key, status }) => (status === 'active' ? [key] : []));

export type ProjectAddress = Readonly<{ organizationId: string; project: string }>;

export const projectNotFound = (project: string): DomainError =>
  new DomainError('project-not-found', `There is no project "${project}".`);

export const projectNotYetCreated = (project: string, createdAt: string | Date): DomainError =>
  new DomainError(
    'project-not-yet-created',
    `Project "${project}" was created at ${timeText(createdAt)}, after the moment asked for.`,
  );

type ProjectRow = Fact & { createdAt: Date; state: ExistingProject | null };

/**
 * A project with its environments as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, project-not-yet-created
 */
export const getProject =
  (db: Database) =>
  async (
    { organizationId, project }: ProjectAddress,
    { position }: Readonly<{ position: Position }>,
  ): Promise<ProjectView> => {
    const { rows } = await db.query<ProjectRow>({
      organizationId,
      name: 'project_at',
      text: `select p.created_at as "createdAt", r.state, ${factColumns('e')}
               from project p
               left join lateral (select h.state, h.position_from
                                    from project_revision h
                                   where h.project_id = p.project_id
                                     and h.position_from <= $2
                                   order by h.position_from desc
                                   limit 1) r on true
               left join audit_event e on e.position = r.position_from
              where p.project_id = $1`,
      values: [projectIdOf(organizationId, project), position],
    });
    const [row] = rows;
    if (row === undefined) throw projectNotFound(project);
    if (row.state === null) throw projectNotYetCreated(project, row.createdAt);
    return projectView(row.state, row.createdAt, row);
  };

type ProjectStatusFilter = ExistingProject['status'] | 'all';

/** Without a status: active ones. */
type ListProjects = Readonly<{
  organizationId: string;
  /** Keys of those to keep to; absent: all. */
  projects?: readonly string[];
  status?: ProjectStatusFilter;
  limit?: number;
  cursor?: string;
}>;

export type ProjectListItem = Readonly<{
  key: string;
  name: string;
  description: string;
  status: ExistingProject['status'];
  /** Keys of those that are not deleted, in the order they were added. */
  environments: readonly string[];
  revision: number;
  createdAt: string;
  updatedAt: string;
}>;

type ListedProjectRow = {
  state: ExistingProject;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
};

const itemOf = ({ state, revision, createdAt, updatedAt }: ListedProjectRow): ProjectListItem => ({
  key: state.key,
  name: state.name,
  description: state.description,
  status: state.status,
  environments: activeEnvironments(state),
  revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(updatedAt),
});

/** A page of an organization's projects, by key. @throws DomainError invalid-cursor */
export const listProjects =
  (db: Database) =>
  async ({
    organizationId,
    projects,
    status = 'active',
    ...paging
  }: ListProjects): Promise<Page<ProjectListItem>> => {
    const { limit = DEFAULT_LIMIT, cursor } = paging;
    const scope = { list: 'projects', organizationId, projects, status };
    const [after = ''] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['string']);
    const { rows } = await db.query<ListedProjectRow>({
      name: 'list_projects',
      text: `select p.state, p.revision::float8 as revision,
                    p.created_at as "createdAt", p.updated_at as "updatedAt"
               from project p
              where p.organization_id = $1
                and p.key > $2
                and ($3 = 'all' or p.status = $3)
                and ($5::text[] is null or p.key = any ($5))
              order by p.key
              limit $4`,
      values: [organizationId, after, status, limit + 1, projects ?? null],
    });
    return pageOf(rows.map(itemOf), limit, scope, ({ key }) => [key]);
  };
