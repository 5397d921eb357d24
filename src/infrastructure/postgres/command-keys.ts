import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Pool } from 'pg';
import { type Logger } from 'pino';
import {
  type BatchOutcome,
  type BatchWork,
  type Claim,
  type CommandKey,
  type CommandKeys,
} from '../../commands/streams/command-keys.js';
import { toPosition } from '../../domain/position.js';
import { type MasterKey } from '../keys/master-key.js';
import { pause, withDeadline } from '../waiting.js';
import { LOCKS, transaction } from './postgres.js';

/** How long a command waits for Postgres to say whether its key was used. Then it goes on: streams remember theirs. */
const PATIENCE_MS = 250;

/** How long a key is remembered; each claim removes some that are older. */
const KEPT = '30 days';

/** How long a batch counts as being worked on after its process was last heard of, and how often that says so. */
const WORKING = '5 seconds';
const STILL_WORKING_MS = 1_500;

/** How often a repeat looks whether the batch has ended, and for how long at most. */
const LOOK_MS = 100;
const MAX_LOOKS = 900;

/** Bytes of a sealed answer. A repeat of a batch with a longer one runs again, and finds in the log what it wrote. */
const MAX_ANSWER = 1024 * 1024;

const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/** JSON has no digits for positions beyond 2^53: they are texts in it. */
const digits = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;
const positionOf = (name: string, value: unknown): unknown =>
  name === 'position' && typeof value === 'string' ? toPosition(value) : value;

type Found = Readonly<{ commandHash: string; isNew: boolean }>;

/** `mine`: this request works on the batch now; `busy`: another one does. */
type Begun = Readonly<{ answer: Buffer | null; isMine: boolean }>;

/** Idempotency-Keys in Postgres. Hashes and answers there tell nothing to whoever does not have the master key. */
export const commandKeys = (pool: Pool, masterKey: MasterKey, log: Logger): CommandKeys => {
  const hashes = masterKey.for('hashes of commands');
  const answers = masterKey.for('answers of batches');
  const keyedHash = (commandHash: string): string => hashes.digest(commandHash).toString('hex');
  const contextOf = ({ organizationId, commandId }: CommandKey): string =>
    JSON.stringify([organizationId, commandId]);

  /** `instead` when Postgres does not do it. */
  const attempt = async <T>(work: Promise<T>, instead: T, failure: string): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      log.warn({ err: error }, failure);
      return instead;
    }
  };

  const find = async ({ organizationId, commandId, commandHash }: CommandKey): Promise<Claim> => {
    const hash = keyedHash(commandHash);
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
      values: [organizationId, commandId, hash],
    });
    const [found] = rows;
    if (found === undefined || found.isNew) return 'new';
    return found.commandHash === hash ? 'same' : 'other';
  };

  const begin = async ({ organizationId, commandId }: CommandKey): Promise<Begun> => {
    const { rows } = await pool.query<Begun>({
      name: 'begin_batch',
      text: `with begun as (
               update chronoflag.command_key k
                  set working_until = now() + interval '${WORKING}'
                where k.organization_id = $1
                  and k.command_id = $2
                  and k.answer is null
                  and (k.working_until is null or k.working_until < now())
            returning 1)
             select k.answer, exists (select from begun) as "isMine"
               from chronoflag.command_key k
              where k.organization_id = $1
                and k.command_id = $2`,
      values: [organizationId, commandId],
    });
    return rows[0] ?? { answer: null, isMine: true };
  };

  /** The sealed answer of the batch; undefined when this request has to run it. */
  const answerOf = async (key: CommandKey): Promise<Buffer | undefined> => {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const { answer, isMine } = await begin(key);
      if (answer !== null) return answer;
      if (isMine) return undefined;
      await pause(LOOK_MS);
    }
    return undefined;
  };

  const stay = ({ organizationId, commandId }: CommandKey): Promise<unknown> =>
    pool.query({
      name: 'stay_in_batch',
      text: `update chronoflag.command_key k
                set working_until = now() + interval '${WORKING}'
              where k.organization_id = $1
                and k.command_id = $2`,
      values: [organizationId, commandId],
    });

  /** Nobody works on it any more; `answer` is for those who repeat it. */
  const end = async (key: CommandKey, answer?: object, namesPeople = false): Promise<void> => {
    const { organizationId, commandId } = key;
    const packed = answer && (await compress(JSON.stringify(answer, digits)));
    const isKept = packed !== undefined && packed.length <= MAX_ANSWER;
    const sealed = isKept ? answers.wrap(packed, contextOf(key)) : null;
    await transaction(pool, async (client) => {
      // An erasure under way removes this answer, or has to be seen here.
      if (namesPeople) await client.query('select pg_advisory_xact_lock($1)', [LOCKS.erasure]);
      await client.query(
        `update chronoflag.command_key k
            set working_until = null,
                answer = case
                  when $4 and exists (
                    select from chronoflag.personal_subject s
                     where s.organization_id = $1
                       and s.erased_at >= k.claimed_at) then null
                  else $3::bytea
                end,
                names_people = $4
          where k.organization_id = $1
            and k.command_id = $2`,
        [organizationId, commandId, sealed, namesPeople],
      );
    });
  };

  const opened = async <Answer>(key: CommandKey, sealed: Buffer): Promise<Answer> => {
    const packed = await decompress(answers.unwrap(sealed, contextOf(key)));
    return JSON.parse(packed.toString(), positionOf) as Answer;
  };

  const run = async <Answer>(
    key: CommandKey,
    { namesPeople, run: work }: BatchWork<Answer>,
  ): Promise<BatchOutcome<Answer>> => {
    const staying = setInterval(() => {
      void attempt(stay(key), undefined, 'a batch did not say that it goes on');
    }, STILL_WORKING_MS);
    const ended = (answer?: Answer): Promise<void> =>
      attempt(end(key, answer as object, namesPeople), undefined, 'a batch was not ended');
    try {
      const answer = await work();
      await ended(answer);
      return { answer, isRepeat: false };
    } catch (error) {
      await ended();
      throw error;
    } finally {
      clearInterval(staying);
    }
  };

  return {
    claim: (key) => {
      const late = (): Error => new Error('Postgres is slow.');
      const found = withDeadline(find(key), PATIENCE_MS, late);
      return attempt(found, 'new', 'an Idempotency-Key was not looked up');
    },

    release: async ({ organizationId, commandId, commandHash }) => {
      const released = pool.query(
        `delete from chronoflag.command_key
          where organization_id = $1 and command_id = $2 and command_hash = $3`,
        [organizationId, commandId, keyedHash(commandHash)],
      );
      await attempt(released, undefined, 'an Idempotency-Key was not released');
    },

    batch: async (key, work) => {
      const sealed = await attempt(answerOf(key), undefined, 'a batch was not looked up');
      if (sealed === undefined) return run(key, work);
      return { answer: await opened(key, sealed), isRepeat: true };
    },
  };
};
