import { type Change, changesBetween } from '../../domain/changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { flagStream, projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { readPosition } from '../moments/read-position.js';
import { decodeCursor } from '../paging/cursor.js';
import { DEFAULT_LIMIT, type Page, pageOf } from '../paging/page.js';
import { type Fact, type Provenance, provenanceOf } from '../provenance.js';
import { type SortOrder } from './flag-filter.js';
import { type FlagAddress, getFlag } from './get-flag.js';
import { type FlagHistoryFilter, historyConditions, historySql } from './history-sql.js';

/** @defaultValue order: desc, so the newest event first */
export type FlagHistory = FlagAddress &
  FlagHistoryFilter &
  Readonly<{ order?: SortOrder; limit?: number; cursor?: string }>;

/** One event with what it changed; `data` is what the event itself says. */
export type FlagHistoryItem = Provenance &
  Readonly<{ environment: string | null; data: JsonObject; changes: readonly Change[] }>;

type Row = Fact & {
  environment: string | null;
  data: JsonObject;
  before: ExistingFlag | null;
  after: ExistingFlag | null;
};

const changesOf = ({ before, after }: Row): readonly Change[] =>
  // Only an event that this version does not understand leaves no state behind.
  after === null ? [] : changesBetween(before ?? undefined, after);

const itemOf = (row: Row): FlagHistoryItem => ({
  ...provenanceOf(row),
  environment: row.environment,
  data: row.data,
  changes: changesOf(row),
});

/**
 * A page of a flag's events, from its creation on, over deletion and restore.
 * @throws DomainError project-not-found, flag-not-found, malformed-time, invalid-cursor
 */
export const flagHistory =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    ...question
  }: FlagHistory): Promise<Page<FlagHistoryItem>> => {
    const { organizationId, project, flag, order = 'desc' } = question;
    const projectId = projectIdOf(organizationId, project);
    const scope = { list: 'flag-history', ...question };
    const [revision] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['number']);
    const wanted = historyConditions(flagStream(projectId, flag), question, { revision, order });
    const { rows } = await db.query<Row>({
      organizationId,
      text: historySql(wanted, order, 'flag'),
      values: [...wanted.values, projectId, flag, limit + 1],
    });
    // An empty answer is right for a filter, but not for a flag that never was.
    if (rows.length === 0) await getFlag(db)(question, await readPosition(db)());
    return pageOf(rows.map(itemOf), limit, scope, ({ revision }) => [revision]);
  };
