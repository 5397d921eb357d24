import { type Position } from '../domain/position.js';
import { projectIdOf } from '../domain/streams.js';
import { type Database } from './database.js';

/** `environments`: those that are not deleted. Bytes are those of the states as text. */
export type ProjectUsage = Readonly<{
  project: string;
  isActive: boolean;
  environments: number;
  flags: number;
  segments: number;
  liveBytes: number;
  deletedBytes: number;
}>;

/** What an organization had at a log position. Invited people count as members. */
export type Usage = Readonly<{
  position: Position;
  members: number;
  tokens: number;
  keys: number;
  projects: readonly ProjectUsage[];
}>;

/** How many of some flags or segments are live, and the bytes of all of them. */
export type Sizes = Readonly<{ live: number; bytes: number }>;

const FLAG_BYTES = 'octet_length(m.state::text)';

/** Lists that a row leaves out are those of an earlier revision, with the keys that came since. */
const SEGMENT_BYTES = `octet_length(m.state::text) + case when m.keys_from is null then 0 else (
  select octet_length(r.state::text)
    from segment_revision r
   where r.project_id = m.project_id
     and r.segment_key = m.key
     and r.revision = m.keys_from) + (
  select coalesce(sum(octet_length(e.data::text)), 0)
    from audit_event e
   where e.stream = 'segment-' || m.project_id || ':' || m.key
     and e.revision > m.keys_from
     and e.type = 'SegmentKeysAdded') end`;

const members = (table: 'flag' | 'segment', bytes: string): string => `(
  select count(*) filter (where m.status <> 'deleted')::float8 as live,
         coalesce(sum(${bytes}) filter (where m.status <> 'deleted'), 0)::float8 as bytes,
         coalesce(sum(${bytes}) filter (where m.status = 'deleted'), 0)::float8 as deleted
    from ${table} m
   where m.project_id = p.project_id)`;

const MEASURED = `
  select p.key as project, p.status = 'active' as "isActive",
         (select count(*)::float8
            from jsonb_array_elements(p.state -> 'environments') e
           where e ->> 'status' = 'active') as environments,
         f.live as flags, s.live as segments,
         f.bytes + s.bytes as "liveBytes", f.deleted + s.deleted as "deletedBytes"
    from project p
   cross join lateral ${members('flag', FLAG_BYTES)} f
   cross join lateral ${members('segment', SEGMENT_BYTES)} s`;

/** Each environment has its own copy of what is live; what is deleted is kept once, to be restored. */
export const heldBytes = ({ isActive, environments, liveBytes, deletedBytes }: ProjectUsage) =>
  liveBytes * (isActive ? Math.max(1, environments) : 1) + deletedBytes;

const STANDS_AT = '(select coalesce(min(c.position), -1) from checkpoint c) as position';

const countKeys = (kinds: string): string => `(
  select count(*)::float8
    from chronoflag.credentials k
   where k.organization_id = $1
     and k.kind in (${kinds})
     and k.revoked_at is null
     and (k.expires_at is null or k.expires_at > now()))`;

export const organizationUsage =
  (db: Database) =>
  async (organizationId: string): Promise<Usage> => {
    const { rows } = await db.query<Usage>({
      name: 'organization_usage',
      text: `select ${STANDS_AT},
                    coalesce((select jsonb_array_length(o.state -> 'members')
                                   + jsonb_array_length(o.state -> 'invitations')
                                from organization o
                               where o.organization_id = $1), 0) as members,
                    ${countKeys("'admin'")} as tokens,
                    ${countKeys("'server', 'client'")} as keys,
                    (select coalesce(json_agg(u order by u.project), '[]')
                       from (${MEASURED} where p.organization_id = $1) u) as projects`,
      values: [organizationId],
    });
    const [usage] = rows;
    return usage ?? { position: -1, members: 0, tokens: 0, keys: 0, projects: [] };
  };

/** Bytes that all organizations hold together. */
export const installationUsage =
  (db: Database) => async (): Promise<Readonly<{ position: Position; bytes: number }>> => {
    const { rows } = await db.query<{ position: Position; bytes: number }>({
      name: 'installation_usage',
      text: `select ${STANDS_AT},
                    (select coalesce(sum(u."deletedBytes" + u."liveBytes"
                              * case when u."isActive" then greatest(1, u.environments) else 1 end), 0)
                       from (${MEASURED}) u)::float8 as bytes`,
    });
    return rows[0] ?? { position: -1, bytes: 0 };
  };

type Named = Readonly<{ organizationId: string; project: string; keys: readonly string[] }>;

/** Sizes of the flags or segments of a project that have these keys. */
export const sizesOf =
  (db: Database) =>
  async (kind: 'flag' | 'segment', { organizationId, project, keys }: Named): Promise<Sizes> => {
    const { rows } = await db.query<Sizes>({
      name: `sizes_of_${kind}`,
      text: `select count(*) filter (where m.status <> 'deleted')::float8 as live,
                    coalesce(sum(${kind === 'flag' ? FLAG_BYTES : SEGMENT_BYTES}), 0)::float8 as bytes
               from ${kind} m
              where m.project_id = $1
                and m.key = any ($2)`,
      values: [projectIdOf(organizationId, project), [...keys]],
    });
    return rows[0] ?? { live: 0, bytes: 0 };
  };
