import type pg from 'pg';
import { type Link } from '../../domain/audit/chain.js';
import { type Checkpoint, signed, type SigningKey } from '../../domain/audit/checkpoint.js';
import { growingTree } from '../../domain/audit/merkle.js';
import { DomainError } from '../../domain/decider.js';
import { latestCheckpoint } from '../../queries/trail/checkpoints.js';

type PlacedLink = Link & Readonly<{ position: number }>;

const PAGE = 10_000;

const LINKS = `
  select c.sequence::float8 as sequence, c.position::float8 as position, encode(c.hash, 'hex') as hash
    from audit_chain c
   where c.organization_id = $1`;

const linksAfter = async (
  pool: pg.Pool,
  organizationId: string,
  sequence: number,
): Promise<readonly PlacedLink[]> => {
  const text = `${LINKS} and c.sequence > $2 order by c.sequence limit ${PAGE}`;
  return (await pool.query<PlacedLink>(text, [organizationId, sequence])).rows;
};

/** The last link, and the root over all after `from`; undefined when there is none. */
const span = async (pool: pg.Pool, organizationId: string, from: number) => {
  const tree = growingTree();
  let last: PlacedLink | undefined;
  for (;;) {
    const links = await linksAfter(pool, organizationId, last?.sequence ?? from);
    for (const { hash } of links) tree.add(hash);
    last = links.at(-1) ?? last;
    if (links.length < PAGE) return last && { last, root: tree.root() };
  }
};

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
 * Signs where an organization's chain stands, when it has grown by `atLeast` events since the last time.
 * @returns the latest checkpoint; undefined when there is none and nothing to sign
 * @throws DomainError audit-chain-broken
 */
export const takeCheckpoint =
  (pool: pg.Pool, key: SigningKey, now: () => Date) =>
  async (organizationId: string, atLeast = 1): Promise<Checkpoint | undefined> => {
    const latest = await latestCheckpoint(pool)(organizationId);
    const from = latest?.statement.count ?? 0;
    if (latest !== undefined) await requireUnbroken(pool, organizationId, latest);
    if ((await countOf(pool, organizationId)) - from < atLeast) return latest;
    const found = await span(pool, organizationId, from);
    if (found === undefined) return latest;
    const { last, root } = found;
    const { statement, signature } = signed(key, {
      version: 1,
      organization: organizationId,
      from,
      count: last.sequence,
      position: last.position,
      head: last.hash,
      root,
      at: now().toISOString(),
      keyId: key.keyId,
    });
    await pool.query(INSERT, [
      organizationId,
      statement.count,
      JSON.stringify(statement),
      signature,
    ]);
    return latestCheckpoint(pool)(organizationId);
  };
