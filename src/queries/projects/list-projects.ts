import { type ExistingProject } from '../../domain/project/project.js';
import { type Database } from '../database.js';
import { decodeCursor } from '../paging/cursor.js';
import { DEFAULT_LIMIT, type Page, pageOf } from '../paging/page.js';
import { activeEnvironments } from './environments-in.js';
import { timeText } from '../provenance.js';

export type ProjectStatusFilter = ExistingProject['status'] | 'all';

/** Without a status: active ones. */
export type ListProjects = Readonly<{
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

type Row = {
  state: ExistingProject;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
};

const itemOf = ({ state, revision, createdAt, updatedAt }: Row): ProjectListItem => ({
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
    const { rows } = await db.query<Row>({
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
