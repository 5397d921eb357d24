import { NO_GRANTS } from '../../domain/access/grants.js';
import { randomUUID } from 'node:crypto';
import { type Logger } from 'pino';
import { type Handle } from '../../commands/command.js';
import { commandHashOf } from '../../commands/event-id.js';
import { type SessionCommand } from '../../commands/session-decider.js';
import { type Actor, type Metadata, SCHEMA_VERSION } from '../../domain/metadata.js';
import { type EndCause, type SessionEvent } from '../../domain/session/events.js';
import { type Sessions } from '../../domain/session/sessions.js';
import { type SessionTable } from '../../infrastructure/accounts/session-table.js';

const COMMAND_MS = 950;

/** Who a request is by, when nothing has proven it. */
export const STRANGER: Actor = { id: 'anonymous', type: 'system', authMethod: 'none' };

/** Of what the service does by itself. */
const bySystem = (): Metadata => {
  const id = randomUUID();
  return {
    actor: { id: 'chronoflag', type: 'system', authMethod: 'none' },
    commandId: id,
    commandHash: commandHashOf(id),
    correlationId: id,
    causationId: id,
    requestId: id,
    schemaVersion: SCHEMA_VERSION,
  };
};

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
    metadata: Metadata = bySystem(),
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
