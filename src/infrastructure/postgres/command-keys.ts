import { type Pool } from 'pg';
import { type Logger } from 'pino';
import { type Claim, type CommandKey, type CommandKeys } from '../../commands/command-keys.js';
import { withDeadline } from '../deadline.js';

/** How long a command waits for Postgres to say whether its key was used. Then it goes on: streams remember theirs. */
const PATIENCE_MS = 250;

/** How long a key is remembered; each claim removes some that are older. */
const KEPT = '30 days';

type Found = Readonly<{ commandHash: string; isNew: boolean }>;

/** Idempotency-Keys in Postgres. */
export const commandKeys = (pool: Pool, log: Logger): CommandKeys => {
  const find = async ({ organizationId, commandId, commandHash }: CommandKey): Promise<Claim> => {
    // The update changes nothing; it makes the row that is there come back, also one of another process just now.
    const { rows } = await pool.query<Found>({
      name: 'claim_command_key',
      text: `with old as (
               delete from chronoflag.command_key k
                where k.ctid = any (array(
                        select o.ctid
                          from chronoflag.command_key o
                         where o.claimed_at < now() - interval '${KEPT}'
                         limit 10)))
             insert into chronoflag.command_key as k (organization_id, command_id, command_hash)
             values ($1, $2, $3)
                 on conflict on constraint command_key_pk
                    do update set command_hash = k.command_hash
             returning k.command_hash as "commandHash", k.xmax = 0 as "isNew"`,
      values: [organizationId, commandId, commandHash],
    });
    const [found] = rows;
    if (found === undefined || found.isNew) return 'new';
    return found.commandHash === commandHash ? 'same' : 'other';
  };

  return {
    claim: async (key) => {
      try {
        const late = (): Error => new Error('Postgres is slow.');
        return await withDeadline(find(key), PATIENCE_MS, late);
      } catch (error) {
        log.warn({ err: error }, 'an Idempotency-Key was not looked up');
        return 'new';
      }
    },

    release: async ({ organizationId, commandId, commandHash }) => {
      try {
        await pool.query(
          `delete from chronoflag.command_key
            where organization_id = $1 and command_id = $2 and command_hash = $3`,
          [organizationId, commandId, commandHash],
        );
      } catch (error) {
        log.warn({ err: error }, 'an Idempotency-Key was not released');
      }
    },
  };
};
