import { open } from 'node:fs/promises';
import type pg from 'pg';
import { type Checkpoint } from '../../domain/audit/checkpoint.js';
import { postJson } from '../accounts/invitations.js';
import { transaction } from '../postgres/postgres.js';

/** Places outside of this installation; either may be absent. */
export type CheckpointPlaces = Readonly<{
  file?: string | undefined;
  webhook?: string | undefined;
}>;

type Column = 'filed_at' | 'posted_at';
type Deliver = (checkpoint: Checkpoint) => Promise<void>;

const appendTo =
  (path: string): Deliver =>
  async (checkpoint) => {
    const file = await open(path, 'a', 0o644);
    try {
      await file.writeFile(`${JSON.stringify(checkpoint)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  };

const postTo =
  (url: string): Deliver =>
  (checkpoint) =>
    postJson(url, checkpoint);

/** Delivers the oldest that is due, and notes it in the same transaction; others leave it alone meanwhile. */
const deliverOne = (pool: pg.Pool, column: Column, deliver: Deliver): Promise<boolean> =>
  transaction(pool, async (client) => {
    const { rows } = await client.query<Checkpoint>(
      `select c.statement, c.signature
         from chronoflag.audit_checkpoint c
        where c.${column} is null
        order by c.organization_id, c.count
        limit 1
          for update`,
    );
    const [checkpoint] = rows;
    if (checkpoint === undefined) return false;
    await deliver(checkpoint);
    const { organization, count } = checkpoint.statement;
    await client.query(
      `update chronoflag.audit_checkpoint
          set ${column} = now()
        where organization_id = $1
          and count = $2`,
      [organization, count],
    );
    return true;
  });

/**
 * Brings every checkpoint to every place, in order, at least once. Nothing is lost by a failure: the next run goes on
 * with the one that failed.
 * @throws what the first place threw that could not be reached, after trying the others
 */
export const deliverCheckpoints =
  (pool: pg.Pool, { file, webhook }: CheckpointPlaces) =>
  async (): Promise<void> => {
    const all = async (column: Column, deliver: Deliver): Promise<void> => {
      while (await deliverOne(pool, column, deliver));
    };
    const results = await Promise.allSettled([
      file === undefined ? undefined : all('filed_at', appendTo(file)),
      webhook === undefined ? undefined : all('posted_at', postTo(webhook)),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
