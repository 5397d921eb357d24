import { randomUUID } from 'node:crypto';
import { type Logger } from 'pino';
import { type Handle } from '../commands/streams/command.js';
import { bySystem } from '../commands/streams/event-store.js';
import { type SessionCommand } from '../commands/session.js';
import { NO_GRANTS } from '../domain/access/grants.js';
import { ANONYMOUS, type Metadata } from '../domain/recorded.js';
import { type EndCause, type SessionEvent, type Sessions } from '../domain/session.js';
import { type SessionTable } from '../infrastructure/accounts/session-table.js';
import { type Origin } from './ports.js';

const COMMAND_MS = 950;

type Person = Readonly<{ organizationId: string; userId: string }>;

/** Writes to the log what happens to sessions. Postgres has the truth of whether they are alive. */
export const sessionLog = (
  handle: Handle<Sessions, SessionCommand, SessionEvent>,
  { table, log }: Readonly<{ table: SessionTable; log: Logger }>,
) => {
  const record = async (
    command: SessionCommand,
    metadata: Metadata,
  ): Promise<readonly SessionEvent[]> => {
    const { events } = await handle({
      command,
      metadata,
      grants: NO_GRANTS,
      signal: AbortSignal.timeout(COMMAND_MS),
    });
    return events;
  };

  /** Never rejects: what the log did not hear now it is told later. */
  const tell = async (
    command: SessionCommand,
    metadata: Metadata,
    sessionIds: readonly string[],
  ): Promise<void> => {
    try {
      await record(command, metadata);
      if (sessionIds.length > 0) await table.told(sessionIds);
    } catch (error) {
      log.warn({ err: error, command: command.type }, 'the log was not told of sessions yet');
    }
  };

  const tellEnded = (
    person: Person,
    { sessionIds, cause }: Readonly<{ sessionIds: readonly string[]; cause: EndCause }>,
    metadata: Metadata = bySystem(randomUUID()),
  ): Promise<void> =>
    tell({ type: 'EndSessions', data: { ...person, sessionIds, cause } }, metadata, sessionIds);

  return {
    /** @throws EventStoreUnavailable, AppendOutcomeUnknown */
    record,
    tell,
    tellEnded,

    /** Tells of every end that nobody told of in time. */
    tellRest: async (): Promise<void> => {
      for (const { sessionId, cause, ...person } of await table.untold())
        await tellEnded(person, { sessionIds: [sessionId], cause });
    },
  };
};

export type SessionLog = ReturnType<typeof sessionLog>;

/** Members whose refused logins are counted at once; the one heard of longest ago is forgotten first. */
const MANY = 10_000;
const MINUTE_MS = 60_000;

type Counted = { minute: number; count: number };
type Member = Readonly<{ organizationId: string; userId: string }>;

/** Counts refused logins of members, and tells the log once a minute for each. `clock`: epoch milliseconds. */
export const refusedLogins = (sessionLog: SessionLog, clock: () => number = Date.now) => {
  const counted = new Map<string, Counted>();

  const countOf = (key: string): Counted => {
    const known = counted.get(key) ?? { minute: 0, count: 0 };
    counted.delete(key);
    counted.set(key, known);
    const [oldest] = counted.keys();
    if (counted.size > MANY && oldest !== undefined) counted.delete(oldest);
    return known;
  };

  /** Waits for nothing, so that it takes no longer to refuse a member than a stranger. */
  return (person: Member, origin: Origin): void => {
    const known = countOf(`${person.organizationId}:${person.userId}`);
    const minute = Math.floor(clock() / MINUTE_MS);
    known.count += 1;
    if (known.minute === minute) return;
    const { count } = known;
    known.minute = minute;
    known.count = 0;
    const since = new Date(minute * MINUTE_MS).toISOString();
    const command = { type: 'RefuseLogin', data: { ...person, count, since } } as const;
    void sessionLog.tell(command, origin(ANONYMOUS), []);
  };
};

export type RefusedLogins = ReturnType<typeof refusedLogins>;
