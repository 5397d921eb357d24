import { type Pool, type PoolClient } from 'pg';
import { appendEvents, type EventStore } from '../../commands/streams/event-store.js';
import { type SubjectErased } from '../../domain/personal/sealed-text.js';
import { type Position } from '../../domain/position.js';
import { type Metadata } from '../../domain/recorded.js';
import { subjectStream } from '../../domain/streams.js';
import { LOCKS, transaction } from '../postgres/postgres.js';
import { repeat, withDeadline } from '../waiting.js';
import { type SubjectTable } from './subject-table.js';

/** An erasure that is not in the log yet. */
/** `position`: of the event that tells of it; null while that is not in the log. */
type RecordedErasure = Readonly<{
  subjectId: string;
  /** RFC 3339. */
  erasedAt: string;
  position: Position | null;
}>;

type PendingErasure = Readonly<{
  organizationId: string;
  subjectId: string;
  metadata: Metadata;
}>;

/** `userIds`: accounts and sessions that go with the keys. */
type ErasedPerson = Readonly<{
  organizationId: string;
  persons: readonly string[];
  userIds: readonly string[];
}>;

const deleteAccounts = async (
  client: PoolClient,
  { organizationId, userIds }: ErasedPerson,
): Promise<void> => {
  for (const table of ['session', 'account'])
    await client.query(
      `delete from chronoflag.${table} t where t.organization_id = $1 and t.user_id = any ($2::text[])`,
      [organizationId, userIds],
    );
};

const destroyKeys = async (
  client: PoolClient,
  organizationId: string,
  lookups: readonly Buffer[],
  metadata: Metadata,
): Promise<readonly string[]> => {
  await client.query('set local synchronous_commit = on');
  // One after the other, so that whoever saw one has seen all before it.
  await client.query('select pg_advisory_xact_lock($1)', [LOCKS.erasure]);
  await client.query(
    `update chronoflag.command_key k
        set answer = null, names_people = false
      where k.organization_id = $1
        and k.names_people`,
    [organizationId],
  );
  const { rows } = await client.query<{ subjectId: string }>(
    `with last as (
       select coalesce(max(s.erasure), 0) as erasure from chronoflag.personal_subject s
     ), found as (
       select s.subject_id, row_number() over (order by s.subject_id) as nth
         from chronoflag.personal_subject s
        where s.organization_id = $1
          and s.lookup = any ($2::bytea[])
          and s.erased_at is null
     )
     update chronoflag.personal_subject s
        set wrapped_key = null, erased_at = now(), erasure = last.erasure + found.nth, metadata = $3
       from last, found
      where s.subject_id = found.subject_id
  returning s.subject_id as "subjectId"`,
    [organizationId, lookups, JSON.stringify(metadata)],
  );
  return rows.map(({ subjectId }) => subjectId);
};

/** Erased subjects in Postgres: that their keys are gone, and whether the log and others know it. */
export const erasureTable = (pool: Pool, { lookupOf }: SubjectTable) => ({
  /** Destroys the keys of these persons, for good. @returns the ids of those who had one */
  erase: (person: ErasedPerson, metadata: Metadata): Promise<readonly string[]> => {
    const { organizationId } = person;
    const lookups = person.persons.map((one) => lookupOf(organizationId, one));
    return transaction(pool, async (client) => {
      await deleteAccounts(client, person);
      return destroyKeys(client, organizationId, lookups, metadata);
    });
  },

  /** How many erasures there were: changes with each. */
  count: async (): Promise<number> => {
    const { rows } = await pool.query<{ count: number }>({
      name: 'erasure_count',
      text: 'select coalesce(max(s.erasure), 0)::float8 as count from chronoflag.personal_subject s',
    });
    return rows[0]?.count ?? 0;
  },

  pending: async (): Promise<readonly PendingErasure[]> => {
    const { rows } = await pool.query<PendingErasure>({
      name: 'erasures_pending',
      text: `select s.organization_id as "organizationId", s.subject_id as "subjectId", s.metadata
               from chronoflag.personal_subject s
              where s.erasure is not null
                and s.position is null
              order by s.erasure`,
    });
    return rows;
  },

  recorded: async (subjectId: string, position: Position): Promise<void> => {
    await pool.query({
      name: 'erasure_recorded',
      text: `update chronoflag.personal_subject
                set position = $2, metadata = null
              where subject_id = $1`,
      values: [subjectId, position],
    });
  },

  /** Ends the minute in which erased values are refused. */
  clearLookups: async (): Promise<void> => {
    await pool.query({
      name: 'erasures_clear',
      text: `update chronoflag.personal_subject
                set lookup = null
              where erased_at < now() - interval '1 minute'
                and lookup is not null`,
    });
  },

  /** Log position of the last erasure that is in the log; -1 without one. */
  lastPosition: async (): Promise<Position> => {
    const { rows } = await pool.query<{ position: Position }>({
      name: 'erasures_last',
      text: 'select coalesce(max(s.position), -1) as position from chronoflag.personal_subject s',
    });
    return rows[0]?.position ?? -1;
  },

  /** Newest first. */
  list: async (organizationId: string): Promise<readonly RecordedErasure[]> => {
    const { rows } = await pool.query<{
      subjectId: string;
      erasedAt: Date;
      position: Position | null;
    }>({
      name: 'erasures_list',
      text: `select s.subject_id as "subjectId", s.erased_at as "erasedAt",
                    s.position as position
               from chronoflag.personal_subject s
              where s.organization_id = $1
                and s.erasure is not null
              order by s.erasure desc
              limit 1000`,
      values: [organizationId],
    });
    return rows.map((row) => ({ ...row, erasedAt: row.erasedAt.toISOString() }));
  },
});

export type ErasureTable = ReturnType<typeof erasureTable>;

/** Worst-case delay until this process forgets a person who was erased in another. */
const POLL_MS = 400;
const POSTGRES_MS = 2_000;

/** Looks for erasures, by whatever process, and tells of them once it knows. */
export const erasureWatch = ({ count }: Pick<ErasureTable, 'count'>, onErased: () => void) => {
  const closing = new AbortController();
  let seen = -1;

  const look = async (): Promise<void> => {
    const now = await withDeadline(count(), POSTGRES_MS, () => new Error('Postgres is silent.'));
    // Also after the first look: what was remembered before it may be older than the last erasure.
    if (now !== seen) onErased();
    seen = now;
  };
  const polling = repeat(look, { everyMs: POLL_MS, signal: closing.signal });
  return {
    stop: async (): Promise<void> => {
      closing.abort();
      await polling;
    },
  };
};

/** The event comes once, whoever is first: a subject's stream has no other of ours. @returns its position */
const record = async (
  store: EventStore,
  { organizationId, subjectId, metadata }: PendingErasure,
): Promise<Position> => {
  const stream = subjectStream(organizationId, subjectId);
  const event: SubjectErased = { type: 'SubjectErased', data: { subjectId } };
  const { events, revision: expectedRevision } = await store.read(stream);
  if (events[0] !== undefined) return events[0].position;
  return (await appendEvents(store, { stream, events: [event], expectedRevision, metadata }))
    .position;
};

/** Tells the log of every erasure that it does not know yet; the keys are gone already. Safe to repeat. */
export const recordErasures =
  (store: EventStore, table: ErasureTable) => async (): Promise<void> => {
    for (const erasure of await table.pending())
      await table.recorded(erasure.subjectId, await record(store, erasure));
    await table.clearLookups();
  };
