import { type Pool } from 'pg';
import { type ApplicationKeyKind } from '../../domain/organization/events.js';
import { type CredentialLife, isUnusedFor, LIFE } from '../postgres/credential-life.js';
import { type KeyPlace } from './key-table.js';

/** What may be shown of a key. */
export type ListedKey = CredentialLife &
  Readonly<{ keyId: string; kind: ApplicationKeyKind; name: string }>;

export type PlacedKey = ListedKey & Readonly<{ project: string; environment: string }>;

export type KeyReport = Readonly<{
  organizationId: string;
  projects?: readonly string[];
  unusedForDays?: number;
}>;

/** The columns of a ListedKey. */
const LISTED = `c.key_id as "keyId", c.kind, c.name, ${LIFE}`;

/** Application keys as they are shown, from Postgres. */
export const keyLists = (pool: Pool) => ({
  list: async ({
    organizationId,
    project,
    environment,
  }: KeyPlace): Promise<readonly ListedKey[]> => {
    const { rows } = await pool.query<ListedKey>(
      `select ${LISTED}
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.project_key = $2
          and c.environment_key = $3
        order by c.issued_at, c.key_id`,
      [organizationId, project, environment],
    );
    return rows;
  },

  /** Of the whole organization, or of these projects; with `unusedForDays` only active ones not used for so long. */
  report: async ({
    organizationId,
    projects,
    unusedForDays,
  }: KeyReport): Promise<readonly PlacedKey[]> => {
    const { rows } = await pool.query<PlacedKey>(
      `select c.project_key as project, c.environment_key as environment, ${LISTED}
         from chronoflag.credentials c
        where c.organization_id = $1
          and c.kind <> 'admin'
          and ($2::text[] is null or c.project_key = any ($2))
          and ${isUnusedFor('$3')}
        order by c.project_key, c.environment_key, c.issued_at, c.key_id`,
      [organizationId, projects ?? null, unusedForDays ?? null],
    );
    return rows;
  },
});
