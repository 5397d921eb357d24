import { type FlagType } from '../../domain/flag/configuration.js';
import { configurationOf, type ExistingFlag } from '../../domain/flag/flag.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Moment } from '../moments.js';
import { decodeCursor, DEFAULT_LIMIT, type Page, pageOf, type Scope } from '../paging.js';
import { activeEnvironments, environmentIn, getProject, type ProjectAddress } from '../projects.js';
import { timeText } from '../provenance.js';
import {
  containing,
  type FlagFilter,
  flagListSql,
  type FlagSort,
  type SortOrder,
  SORTS,
} from './flag-filter.js';

export type FlagListItem = Readonly<{
  key: string;
  name: string;
  description: string;
  type: FlagType;
  status: ExistingFlag['status'];
  tags: readonly string[];
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** Environment → whether it is enabled there. */
  enabled: Readonly<Record<string, boolean>>;
}>;

/** `isPast` lists the flags as they were at the moment; else it only says from where environments are taken. */
export type ListFlags = ProjectAddress &
  FlagFilter &
  Readonly<{
    moment: Moment;
    isPast: boolean;
    sort?: FlagSort;
    order?: SortOrder;
    limit?: number;
    cursor?: string;
  }>;

type Row = {
  key: string;
  sortKey: string | number;
  state: ExistingFlag;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
};

const itemOf = (
  { state, revision, createdAt, updatedAt }: Row,
  environments: readonly string[],
): FlagListItem => ({
  key: state.key,
  name: state.name,
  description: state.description,
  type: state.type,
  status: state.status,
  tags: state.tags,
  revision,
  createdAt: timeText(createdAt),
  updatedAt: timeText(updatedAt),
  enabled: Object.fromEntries(
    environments.map((environment) => [environment, configurationOf(state, environment).enabled]),
  ),
});

const scopeOf = ({ limit, cursor, moment, ...question }: ListFlags): Scope => ({
  list: 'flags',
  ...question,
  position: question.isPast ? moment.position : null,
});

const filterValues = ({ tags, text, status = 'undeleted', enabledIn, type }: FlagFilter) => [
  tags,
  text === undefined ? undefined : containing(text),
  status,
  enabledIn,
  type,
];

const readRows = async (db: Database, request: ListFlags, limit: number): Promise<Row[]> => {
  const { organizationId, project, moment, isPast, cursor } = request;
  const { sort = 'key', order = 'asc' } = request;
  const types = [SORTS[sort].keyType, 'string'] as const;
  const after = cursor === undefined ? [null, null] : decodeCursor(scopeOf(request), cursor, types);
  const { rows } = await db.query<Row>({
    name: `list_flags_${sort}_${order}_${isPast ? 'then' : 'now'}`,
    text: flagListSql(sort, order, isPast),
    values: [
      projectIdOf(organizationId, project),
      ...filterValues(request),
      ...after,
      limit + 1,
      ...(isPast ? [moment.position] : []),
    ],
  });
  return rows;
};

/**
 * A page of a project's flags, now or at a past position.
 * @throws DomainError project-not-found, project-not-yet-created, environment-not-found, invalid-cursor
 */
export const listFlags =
  (db: Database) =>
  async (request: ListFlags): Promise<Page<FlagListItem>> => {
    const { limit = DEFAULT_LIMIT, moment, enabledIn } = request;
    // Side by side; of a project that there is not, neither its flags nor their cursor matter.
    const rowsRead = readRows(db, request, limit);
    rowsRead.catch(() => undefined);
    const project = await getProject(db)(request, moment);
    if (enabledIn !== undefined) environmentIn(project, enabledIn);
    const rows = await rowsRead;
    const page = pageOf(rows, limit, scopeOf(request), (row) => [row.sortKey, row.key]);
    const environments = activeEnvironments(project);
    return { ...page, items: page.items.map((row) => itemOf(row, environments)) };
  };
