import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Logger } from 'pino';
import { type NoteRefusal, type RefusedCommand } from '../api/audit/refused-commands.js';
import { commandHashOf } from '../commands/streams/event-store.js';
import { NO_GRANTS } from '../domain/access/grants.js';
import { SCHEMA_VERSION } from '../domain/recorded.js';
import { type Refusal } from '../domain/refusals.js';
import { type WriteSide } from './write-side.js';

/** How refusals are collected: one event a minute and caller at most, of this many kinds of refusal at most. */
export type Collecting = Readonly<{
  firstMs: number;
  everyMs: number;
  kinds: number;
  callers: number;
}>;

const COLLECTING: Collecting = { firstMs: 1_000, everyMs: 60_000, kinds: 20, callers: 10_000 };

const COMMAND_MS = 2_000;

type Collected = {
  since: string;
  kinds: Map<string, { -readonly [Member in keyof Refusal]: Refusal[Member] }>;
  more: number;
  last: RefusedCommand;
};

type Caller = { writtenAtMs: number; timer?: NodeJS.Timeout; collected?: Collected };

const add = (collected: Collected, refused: RefusedCommand, mostKinds: number): void => {
  const { code, method, path } = refused.refusal;
  const kind = `${code} ${method} ${path}`;
  const known = collected.kinds.get(kind);
  collected.last = refused;
  if (known !== undefined) known.count += 1;
  else if (collected.kinds.size < mostKinds)
    collected.kinds.set(kind, { ...refused.refusal, count: 1 });
  else collected.more += 1;
};

const metadataOf = ({ actor, ip, userAgent, requestId }: RefusedCommand) => {
  const commandId = randomUUID();
  return {
    actor,
    commandId,
    commandHash: commandHashOf(commandId),
    correlationId: requestId,
    causationId: commandId,
    requestId,
    ip,
    ...(userAgent !== undefined && { userAgent: userAgent.slice(0, 500) }),
    schemaVersion: SCHEMA_VERSION,
  };
};

/**
 * Writes refused commands to the log, so that auditors see attempts: the first of a caller within a second, further
 * ones once a minute. What cannot be written is logged and dropped: nobody waits for it. `stop` writes the rest.
 */
export const refusedCommands = (
  { refusals: handle }: Pick<WriteSide, 'refusals'>,
  log: Logger,
  { firstMs, everyMs, kinds: mostKinds, callers: most }: Collecting = COLLECTING,
): Readonly<{ note: NoteRefusal; stop: () => Promise<void> }> => {
  const callers = new LRUCache<string, Caller>({ max: most });

  const write = async (caller: Caller): Promise<void> => {
    const { collected } = caller;
    clearTimeout(caller.timer);
    delete caller.timer;
    delete caller.collected;
    if (collected === undefined) return;
    caller.writtenAtMs = performance.now();
    const { since, kinds, more, last } = collected;
    const { organizationId, actor } = last;
    const data = { organizationId, actorId: actor.id, since, refusals: [...kinds.values()], more };
    try {
      await handle({
        command: { type: 'RecordRefusals', data },
        metadata: metadataOf(last),
        grants: NO_GRANTS,
        signal: AbortSignal.timeout(COMMAND_MS),
      });
    } catch (error) {
      log.warn({ err: error, actor: actor.id }, 'refused commands were not written to the log');
    }
  };

  const note: NoteRefusal = (refused) => {
    const key = `${refused.organizationId}:${refused.actor.id}`;
    const caller = callers.get(key) ?? { writtenAtMs: -Infinity };
    callers.set(key, caller);
    caller.collected ??= {
      since: new Date().toISOString(),
      kinds: new Map(),
      more: 0,
      last: refused,
    };
    add(caller.collected, refused, mostKinds);
    if (caller.timer !== undefined) return;
    const waitMs = Math.max(firstMs, caller.writtenAtMs + everyMs - performance.now());
    caller.timer = setTimeout(() => void write(caller), waitMs).unref();
  };

  return {
    note,
    stop: async () => {
      await Promise.all([...callers.values()].map(write));
    },
  };
};
