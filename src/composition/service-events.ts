import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { aggregates } from '../commands/streams/aggregates.js';
import { bySystem, type EventStore } from '../commands/streams/event-store.js';
import { commandHandler } from '../commands/streams/handle-command.js';
import { type OperationsCommand, operationsDecider } from '../commands/operations.js';
import { NO_GRANTS } from '../domain/access/grants.js';
import { type ShownConfiguration } from '../domain/operations.js';
import { SKIPPED_EVENTS } from '../domain/skipped-events.js';
import { operationsStream } from '../domain/streams.js';
import { type Config, VARIABLES } from '../config.js';
import { FIRST_ORGANIZATION } from './first-start.js';
import { VERSION } from './metrics.js';
import { pause } from '../infrastructure/waiting.js';

const COMMAND_MS = 2_000;
const HOUR_MS = 3_600_000;

/** Stream of what all processes share. */
const SHARED = 'installation';

/** Secrets, and URLs that may hold one. */
const HIDDEN: ReadonlySet<keyof Config> = new Set<keyof Config>([
  'eventStoreUrl',
  'databaseUrl',
  'redisUrl',
  'metricsToken',
  'masterKey',
  'invitationWebhook',
  'auditCheckpointWebhook',
  'oidcClientSecret',
]);

const isConfigKey = (key: string): key is keyof Config => Object.hasOwn(VARIABLES, key);

/** A configuration by variable, without what is secret. */
export const shownConfiguration = (config: Config): ShownConfiguration => {
  const shown: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(config))
    if (isConfigKey(key)) shown[VARIABLES[key]] = HIDDEN.has(key) ? 'set' : value;
  return shown;
};

/** Name of a process: it stays when the process is started again on its machine. */
const nameOf = ({ role }: Config): string =>
  `${hostname().replaceAll(/[^A-Za-z0-9._-]/g, '-')}.${role}`.slice(0, 200);

type Warn = (error: unknown) => void;

type Rebuilt = Omit<
  Extract<OperationsCommand, { type: 'RecordRebuild' }>['data'],
  'organizationId' | 'name'
>;

export type Skipped = Omit<
  Extract<OperationsCommand, { type: 'SkipEvent' }>['data'],
  'organizationId' | 'name'
>;

/** `previousKeyId`: null when there is none. */
export type ChangedKey = Readonly<{
  keyId: string;
  previousKeyId: string | null;
  cause: 'rotated' | 'removed';
}>;

/**
 * Writes what happens to the service into the audit log of the first organization, whose members operate it. What
 * cannot be written is given to `warn`: nothing waits for it longer than two seconds, and nothing fails by it.
 */
export const serviceEvents = (store: EventStore, warn: Warn) => {
  const clock = (): number => performance.now();
  const handle = commandHandler({
    store,
    clock,
    pause,
    decider: operationsDecider,
    streams: aggregates(store, operationsDecider, clock),
    streamOf: ({ data }: OperationsCommand) => operationsStream(data.organizationId, data.name),
    referencesOf: async () => undefined,
  });
  const organizationId = FIRST_ORGANIZATION;
  const run = randomUUID();

  const record = async (command: OperationsCommand, reason = 'the service itself') => {
    const { kind, position } = await handle({
      command,
      metadata: bySystem(randomUUID(), reason),
      grants: NO_GRANTS,
      signal: AbortSignal.timeout(COMMAND_MS),
    });
    return { isRecorded: kind === 'recorded', position };
  };

  const write = async (command: OperationsCommand): Promise<boolean> => {
    try {
      return (await record(command)).isRecorded;
    } catch (error) {
      warn(error);
      return false;
    }
  };

  return {
    /** `auditKeyId`: undefined when this process signs nothing. */
    started: async (config: Config, auditKeyId?: string): Promise<void> => {
      const now = Date.now();
      const data = {
        ...{ organizationId, name: nameOf(config), run, startedAt: new Date(now).toISOString() },
        hourBefore: new Date(now - HOUR_MS).toISOString(),
        ...{ version: VERSION, role: config.role, configuration: shownConfiguration(config) },
      };
      const isRecorded = await write({ type: 'RecordStart', data });
      if (!isRecorded || auditKeyId === undefined) return;
      const key = { organizationId, name: SHARED, keyId: auditKeyId };
      await write({ type: 'RecordAuditKey', data: key });
    },
    stopped: async (
      config: Config,
      cause: Readonly<{ signal: string } | { error: string }>,
    ): Promise<void> => {
      const data = { organizationId, name: nameOf(config), run, ...cause };
      await write({ type: 'RecordStop', data });
    },
    rebuilt: async (rebuilt: Rebuilt): Promise<void> => {
      await write({ type: 'RecordRebuild', data: { organizationId, name: SHARED, ...rebuilt } });
    },
    /** @throws what the event store throws */
    clockJumped: async (recordedAt: string, clock: string): Promise<void> => {
      const data = { organizationId, name: 'clock', recordedAt, clock };
      await record({ type: 'RecordClockJump', data });
    },
    /** Says that an event is skipped; `isRecorded`: false when that was said before. @throws what the event store throws */
    skipped: (skipped: Skipped) => {
      const data = { organizationId, name: SKIPPED_EVENTS, ...skipped };
      return record({ type: 'SkipEvent', data }, skipped.reason);
    },
    signingKeyChanged: async (changed: ChangedKey): Promise<void> => {
      await write({ type: 'RecordSigningKey', data: { organizationId, name: SHARED, ...changed } });
    },
  };
};

export type ServiceEvents = ReturnType<typeof serviceEvents>;
