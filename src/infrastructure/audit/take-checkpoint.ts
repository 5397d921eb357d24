import type pg from 'pg';
import { type Link } from '../../domain/audit/chain.js';
import { type Checkpoint, signed, type SigningKey } from '../../domain/audit/checkpoint.js';
import { merkleRoot } from '../../domain/audit/merkle.js';
import { DomainError } from '../../domain/decider.js';
import { type Position, positionInJson } from '../../domain/position.js';
import { latestCheckpoint } from '../../queries/trail/checkpoints.js';

type PlacedLink = Link & Readonly<{ position: Position }>;

/** A proof reads as many links. */
const LONGEST = 10_000;

type Signing = Readonly<{
  now: () => Date;
  /** Events that one checkpoint adds at most. */
  longest?: number;
}>;

const LINKS = `
  select c.sequence::float8 as sequence, c.position, encode(c.hash, 'hex') as hash
    from audit_chain c
   where c.organization_id = $1`;

const LINKS_AFTER = `${LINKS} and c.sequence > $2 order by c.sequence limit $3`;

/** Whether the chain is still the one that was signed last: after a rebuild from an altered log it is not. */
const requireUnbroken = async (
  pool: pg.Pool,
  organizationId: string,
  { statement: { count, head } }: Checkpoint,
): Promise<void> => {
  const { rows } = await pool.query<PlacedLink>(`${LINKS} and c.sequence = $2`, [
    organizationId,
    count,
  ]);
  if (rows[0]?.hash !== head)
    throw new DomainError(
      'audit-chain-broken',
      `The read model's chain does not contain the checkpoint over ${count} events; nothing is signed.`,
    );
};

const countOf = async (pool: pg.Pool, organizationId: string): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>(
    `select coalesce(max(c.sequence), 0)::float8 as count
       from audit_chain c
      where c.organization_id = $1`,
    [organizationId],
  );
  return rows[0]?.count ?? 0;
};

/** Another process may have been faster with the same count: then its checkpoint stays. */
const INSERT = `
  insert into chronoflag.audit_checkpoint (organization_id, count, statement, signature)
  values ($1, $2, $3, $4)
      on conflict (organization_id, count) do nothing`;

/**
 * Signs where an organization's chain stands, when it has grown by `atLeast` events since the last time. What is longer
 * than one checkpoint may be is signed in several, one after the other.
 * @returns the latest checkpoint; undefined when there is none and nothing to sign
 * @throws DomainError audit-chain-broken
 */
export const takeCheckpoint =
  (pool: pg.Pool, key: SigningKey, { now, longest = LONGEST }: Signing) =>
  async (organizationId: string, atLeast = 1): Promise<Checkpoint | undefined> => {
    const readLatest = () => latestCheckpoint(pool)(organizationId);

    /** @returns whether there was anything */
    const signAfter = async (from: number): Promise<boolean> => {
      const after = [organizationId, from, longest];
      const { rows: links } = await pool.query<PlacedLink>(LINKS_AFTER, after);
      const last = links.at(-1);
      if (last === undefined) return false;
      const { statement, signature } = signed(key, {
        version: 1,
        organization: organizationId,
        from,
        count: last.sequence,
        position: positionInJson(last.position),
        head: last.hash,
        root: merkleRoot(links.map(({ hash }) => hash)),
        at: now().toISOString(),
        keyId: key.keyId,
      });
      const values = [organizationId, statement.count, JSON.stringify(statement), signature];
      await pool.query(INSERT, values);
      return true;
    };

    let latest = await readLatest();
    if (latest !== undefined) await requireUnbroken(pool, organizationId, latest);
    const count = await countOf(pool, organizationId);
    for (;;) {
      const from = latest?.statement.count ?? 0;
      if (count - from < atLeast || !(await signAfter(from))) return latest;
      latest = await readLatest();
    }
  };
