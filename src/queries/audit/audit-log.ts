import { DomainError } from '../../domain/decider.js';
import { type Position, positionInJson, toPosition } from '../../domain/position.js';
import { type Database } from '../database.js';
import { type SortOrder } from '../flags/flag-filter.js';
import { type Moment } from '../moments/resolve-moment.js';
import { decodeCursor } from '../paging/cursor.js';
import { DEFAULT_LIMIT, type Page, pageOf } from '../paging/page.js';
import { type ActorScope } from './actors.js';
import { type AuditFilter } from './audit-filter.js';
import { type AuditEntry, auditSlices, type Sized } from './audit-rows.js';

/** @defaultValue order: desc, so the newest event first */
export type AuditLog = ActorScope &
  Readonly<{
    filter: AuditFilter;
    /** The last position to answer. */
    upTo: Moment;
    order?: SortOrder;
    limit?: number;
    cursor?: string;
  }>;

/** A page ends before this many characters of JSON, but has one entry at least. */
const PAGE_CHARACTERS = 4_194_304;

/** Entries up to a limit and one more, if there are; `fitting` of them make a page. */
const readPage = async (
  slices: AsyncGenerator<readonly Sized[]>,
  limit: number,
): Promise<Readonly<{ entries: readonly AuditEntry[]; fitting: number }>> => {
  const entries: AuditEntry[] = [];
  let characters = 0;
  for await (const slice of slices) {
    for (const { entry, json } of slice) {
      entries.push(entry);
      characters += json.length;
      if (characters > PAGE_CHARACTERS && entries.length > 1)
        return { entries, fitting: Math.min(limit, entries.length - 1) };
    }
    if (entries.length > limit) break;
  }
  return { entries, fitting: limit };
};

/** A page of everything that happened in an organization. @throws DomainError malformed-time, invalid-cursor */
export const auditLog =
  (db: Database) =>
  async ({
    limit = DEFAULT_LIMIT,
    cursor,
    upTo,
    ...question
  }: AuditLog): Promise<Page<AuditEntry>> => {
    const { organizationId, seesPeople, filter, order = 'desc' } = question;
    const scope = { list: 'audit', organizationId, order, ...filter };
    const [last] = cursor === undefined ? [] : decodeCursor(scope, cursor, ['position']);
    const after = last === undefined ? null : toPosition(last);
    const range = { organizationId, seesPeople, filter, order, after, upTo: upTo.position };
    const { entries, fitting } = await readPage(auditSlices(db, range), limit);
    return pageOf(entries, fitting, scope, ({ position }) => [positionInJson(position)]);
  };

/** One event. @throws DomainError event-not-found when the organization has none there, or the filter leaves it out */
export const auditEntry =
  (db: Database) =>
  async (
    position: Position,
    { organizationId, seesPeople, filter }: ActorScope & Readonly<{ filter: AuditFilter }>,
  ): Promise<AuditEntry> => {
    const range = { organizationId, seesPeople, filter, order: 'desc' } as const;
    for await (const [found] of auditSlices(db, { ...range, after: null, upTo: position }))
      if (found?.entry.position === position) return found.entry;
      else break;
    throw new DomainError(
      'event-not-found',
      `This organization has no event at position ${position}.`,
    );
  };
