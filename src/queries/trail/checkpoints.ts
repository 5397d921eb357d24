import { type Checkpoint } from '../../domain/audit/checkpoint.js';
import { type Database } from '../database.js';

/** Signed checkpoints of one organization, oldest first. */
export const listCheckpoints =
  (db: Database) =>
  async (organizationId: string): Promise<readonly Checkpoint[]> => {
    const { rows } = await db.query<Checkpoint>({
      name: 'audit_checkpoints',
      text: `select c.statement, c.signature
               from chronoflag.audit_checkpoint c
              where c.organization_id = $1
              order by c.count`,
      values: [organizationId],
    });
    return rows;
  };

/** Those that add an event to what was signed before, by its place in the chain; the shortest first. */
export const checkpointsOver =
  (db: Database) =>
  async (organizationId: string, sequence: number): Promise<readonly Checkpoint[]> => {
    const { rows } = await db.query<Checkpoint>({
      name: 'checkpoints_over',
      text: `select c.statement, c.signature
               from chronoflag.audit_checkpoint c
              where c.organization_id = $1
                and c.count >= $2
                and (c.statement ->> 'from')::bigint < $2
              order by c.count`,
      values: [organizationId, sequence],
    });
    return rows;
  };

export const latestCheckpoint =
  (db: Database) =>
  async (organizationId: string): Promise<Checkpoint | undefined> => {
    const { rows } = await db.query<Checkpoint>({
      name: 'latest_audit_checkpoint',
      text: `select c.statement, c.signature
               from chronoflag.audit_checkpoint c
              where c.organization_id = $1
              order by c.count desc
              limit 1`,
      values: [organizationId],
    });
    return rows[0];
  };

/** How far checkpoints have been brought to a place outside. */
export type Delivery = Readonly<{ delivered: number; waiting: number; lastAt: string | null }>;

export type Deliveries = Readonly<{ file: Delivery; webhook: Delivery }>;

/** For one organization or, when none is named, for all. */
export const checkpointDelivery =
  (db: Database) =>
  async (organizationId?: string): Promise<Deliveries> => {
    const counted = (column: 'filed_at' | 'posted_at'): string =>
      `json_build_object('delivered', count(c.${column}), 'waiting', count(*) - count(c.${column}),
                         'lastAt', max(c.${column}))`;
    const { rows } = await db.query<Deliveries>({
      name: 'checkpoint_delivery',
      text: `select ${counted('filed_at')} as file, ${counted('posted_at')} as webhook
               from chronoflag.audit_checkpoint c
              where c.organization_id = coalesce($1, c.organization_id)`,
      values: [organizationId],
    });
    return rows[0] as Deliveries;
  };

/** Organizations that have events or checkpoints. */
export const auditedOrganizations = (db: Database) => async (): Promise<readonly string[]> => {
  const { rows } = await db.query<{ id: string }>({
    text: `select a.organization_id as id from audit_chain a where a.sequence = 1
            union
           select c.organization_id from chronoflag.audit_checkpoint c
            order by 1`,
  });
  return rows.map(({ id }) => id);
};
