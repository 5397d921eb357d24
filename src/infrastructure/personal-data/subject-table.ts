import { Buffer } from 'node:buffer';
import { type Pool } from 'pg';
import { type MasterKey } from '../keys/master-key.js';
import { newSubjectId, newSubjectKey } from './cipher.js';

/** A subject as stored; without a key once it is erased. */
export type StoredSubject = Readonly<{ subjectId: string; key: Buffer | undefined }>;

/** What a person was erased for stays refused so long, for commands that were under way. */
const JUST_ERASED = `s.erased_at > now() - interval '1 minute'`;

/** How often ids are drawn anew when some were taken. */
const ATTEMPTS = 5;

type Made = Readonly<{ subjectId: string; lookup: Buffer; key: Buffer }>;

type Row = { subjectId: string; lookup: Buffer; wrapped: Buffer | null };

/** The person was erased less than a minute ago. */
export class JustErased extends Error {
  override readonly name = 'JustErased';
}

const hexOf = (bytes: Buffer): string => bytes.toString('hex');

/** Subjects and their keys in Postgres. Keys are wrapped with the master key, values are only there as keyed digests. */
export const subjectTable = (pool: Pool, masterKey: MasterKey) => {
  const wrapping = masterKey.for('personal data');

  const contextOf = (organizationId: string, subjectId: string): string =>
    `${organizationId}\n${subjectId}`;
  const lookupOf = (organizationId: string, person: string): Buffer =>
    wrapping.digest(`${organizationId}\n${person}`);

  const stored = (organizationId: string, { subjectId, wrapped }: Row): StoredSubject => ({
    subjectId,
    key:
      wrapped === null ? undefined : wrapping.unwrap(wrapped, contextOf(organizationId, subjectId)),
  });

  const find = async (organizationId: string, lookups: readonly Buffer[]): Promise<Row[]> => {
    const { rows } = await pool.query<Row>({
      name: 'subjects_by_lookup',
      text: `select s.subject_id as "subjectId", s.lookup, s.wrapped_key as wrapped
               from chronoflag.personal_subject s
              where s.organization_id = $1
                and s.lookup = any ($2::bytea[])
                and s.erased_at is null`,
      values: [organizationId, lookups],
    });
    return rows;
  };

  /** @throws JustErased */
  const refuseJustErased = async (
    organizationId: string,
    lookups: readonly Buffer[],
  ): Promise<void> => {
    const { rowCount } = await pool.query({
      name: 'subjects_just_erased',
      text: `select from chronoflag.personal_subject s
              where s.organization_id = $1
                and s.lookup = any ($2::bytea[])
                and s.erased_at is not null
                and ${JUST_ERASED}
              limit 1`,
      values: [organizationId, lookups],
    });
    if (rowCount !== 0) throw new JustErased('A person was erased a moment ago.');
  };

  /**
   * In the order of the look-ups, so that two who insert the same never wait for each other.
   * @returns those that were made; others, or their ids, were there
   */
  const insert = async (
    organizationId: string,
    lookups: readonly Buffer[],
  ): Promise<readonly Made[]> => {
    const made = lookups
      .toSorted((left, right) => Buffer.compare(left, right))
      .map((lookup) => {
        const [subjectId, key] = [newSubjectId(), newSubjectKey()];
        const wrapped = wrapping.wrap(key, contextOf(organizationId, subjectId));
        return { subjectId, lookup, wrapped, key };
      });
    const { rows } = await pool.query<Pick<Made, 'subjectId'>>({
      name: 'subjects_insert',
      text: `insert into chronoflag.personal_subject (subject_id, organization_id, lookup, wrapped_key)
             select n.subject_id, $1, n.lookup, n.wrapped_key
               from unnest($2::text[], $3::bytea[], $4::bytea[]) as n (subject_id, lookup, wrapped_key)
                 on conflict do nothing
              returning subject_id as "subjectId"`,
      values: [
        organizationId,
        made.map(({ subjectId }) => subjectId),
        made.map(({ lookup }) => lookup),
        made.map(({ wrapped }) => wrapped),
      ],
    });
    const ids = new Set(rows.map(({ subjectId }) => subjectId));
    return made.filter(({ subjectId }) => ids.has(subjectId));
  };

  return {
    /** What finds a person's subject: a keyed digest, which only the master key makes. */
    lookupOf,

    /** The subjects of these persons; made when they were not there. @throws JustErased */
    getOrCreate: async (
      organizationId: string,
      persons: readonly string[],
    ): Promise<ReadonlyMap<string, StoredSubject>> => {
      const lookups = new Map(persons.map((person) => [person, lookupOf(organizationId, person)]));
      const found = new Map<string, StoredSubject>();
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        const missing = [...lookups.values()].filter((lookup) => !found.has(hexOf(lookup)));
        for (const row of await find(organizationId, missing))
          found.set(hexOf(row.lookup), stored(organizationId, row));
        const absent = missing.filter((lookup) => !found.has(hexOf(lookup)));
        if (absent.length === 0) break;
        await refuseJustErased(organizationId, absent);
        for (const { lookup, subjectId, key } of await insert(organizationId, absent))
          found.set(hexOf(lookup), { subjectId, key });
      }
      return new Map(
        [...lookups].map(([person, lookup]) => {
          const subject = found.get(hexOf(lookup));
          if (subject === undefined) throw new Error('A subject could not be made.');
          return [person, subject];
        }),
      );
    },

    /** The subject of a person, when there is one that is not erased. */
    find: async (organizationId: string, person: string): Promise<StoredSubject | undefined> => {
      const [row] = await find(organizationId, [lookupOf(organizationId, person)]);
      return row && stored(organizationId, row);
    },

    /** Subjects of an organization by id; ids that it does not have are left out. */
    byId: async (
      organizationId: string,
      ids: readonly string[],
    ): Promise<ReadonlyMap<string, StoredSubject>> => {
      const { rows } = await pool.query<Row>({
        name: 'subjects_by_id',
        text: `select s.subject_id as "subjectId", s.wrapped_key as wrapped
                 from chronoflag.personal_subject s
                where s.organization_id = $1
                  and s.subject_id = any ($2::text[])`,
        values: [organizationId, ids],
      });
      return new Map(rows.map((row) => [row.subjectId, stored(organizationId, row)]));
    },
  };
};

export type SubjectTable = ReturnType<typeof subjectTable>;
