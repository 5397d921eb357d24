import { type Link } from '../../domain/audit/chain.js';
import { type Transaction } from '../projection.js';
import { type LinkedStep } from './link-steps.js';

const HEADS = `
  select w.organization_id, c.sequence, c.hash
    from unnest($1::text[]) as w (organization_id)
   cross join lateral (select a.sequence, encode(a.hash, 'hex') as hash
                         from audit_chain a
                        where a.organization_id = w.organization_id
                        order by a.sequence desc
                        limit 1) c`;

/** Where the hash chains stand at the checkpoint: read from the rows, then remembered like streams. */
export const trackedChains = () => {
  const remembered = new Map<string, Link>();
  return {
    load: async (tx: Transaction, organizations: ReadonlySet<string>) => {
      const missing = [...organizations].filter((id) => !remembered.has(id));
      const { rows } = missing.length === 0 ? { rows: [] } : await tx.query(HEADS, [missing]);
      const read = new Map(
        rows.map(({ organization_id: id, sequence, hash }): [string, Link] => [
          String(id),
          { sequence: Number(sequence), hash: String(hash) },
        ]),
      );
      return (id: string): Link | undefined => remembered.get(id) ?? read.get(id);
    },
    /** After the commit of these steps. */
    remember: (steps: readonly LinkedStep[]): void => {
      for (const { parts, link } of steps) remembered.set(parts.organizationId, link);
    },
    forget: (): void => {
      remembered.clear();
    },
  };
};
