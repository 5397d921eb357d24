import { createHmac, timingSafeEqual } from 'node:crypto';
import { type ApplicationKey } from '../../domain/api-key.js';
import { environmentIdOf, projectIdOf } from '../../domain/streams.js';
import { sha256 } from './secrets.js';
import { type KeyRow } from './application-key-table.js';

type Entry = {
  readonly key: ApplicationKey;
  readonly sha256: Buffer;
  readonly expiresAtMs: number;
  /** The secret before the last rotation, while it counts. */
  readonly previous: Readonly<{ sha256: Buffer; untilMs: number }> | undefined;
  /** Epoch milliseconds; 0 when not since it was last recorded. */
  usedAtMs: number;
};

const SHAPE = /^cf_(?:srv|cli)_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}$/;

const previousOf = ({ previousSha256, previousUntil }: KeyRow): Entry['previous'] =>
  previousSha256 && previousUntil
    ? { sha256: previousSha256, untilMs: previousUntil.getTime() }
    : undefined;

const entryOf = (row: KeyRow): Entry => {
  const { keyId, kind, organizationId, sha256: hash, expiresAt, ...place } = row;
  const { allowedOrigins } = row;
  return {
    key: Object.freeze<ApplicationKey>({
      keyId,
      kind,
      organizationId,
      environmentId: environmentIdOf(projectIdOf(organizationId, place.project), place.environment),
      ...(allowedOrigins && { allowedOrigins }),
    }),
    sha256: hash,
    expiresAtMs: expiresAt?.getTime() ?? Infinity,
    previous: previousOf(row),
    usedAtMs: 0,
  };
};

/**
 * The application keys that this process knows, so that looking one up waits for nothing. Hashing what was presented
 * costs 0.6 µs; remembering it would save little and keep secrets in memory.
 */
export const keyMemory = (clock: () => number = Date.now) => {
  let entries: ReadonlyMap<string, Entry> = new Map();
  let origins: ReadonlySet<string> = new Set();

  const live = (keyId: string): Entry | undefined => {
    const entry = entries.get(keyId);
    return entry === undefined || clock() >= entry.expiresAtMs ? undefined : entry;
  };

  const previousOfLive = ({ previous }: Entry): Buffer | undefined =>
    previous === undefined || clock() >= previous.untilMs ? undefined : previous.sha256;

  const isSecretOf = (entry: Entry, secret: string): boolean => {
    const given = sha256(secret);
    if (timingSafeEqual(given, entry.sha256)) return true;
    const previous = previousOfLive(entry);
    return previous !== undefined && timingSafeEqual(given, previous);
  };

  return {
    adopt: (rows: readonly KeyRow[]): void => {
      origins = new Set(rows.flatMap(({ allowedOrigins }) => allowedOrigins ?? []));
      entries = new Map(
        rows.map((row) => {
          const usedAtMs = entries.get(row.keyId)?.usedAtMs ?? 0;
          return [row.keyId, { ...entryOf(row), usedAtMs }];
        }),
      );
    },

    /** The key that a secret is; undefined for every other text, and for a key that was revoked or has expired. */
    verify: (secret: string): ApplicationKey | undefined => {
      const keyId = SHAPE.exec(secret)?.[1];
      const entry = keyId === undefined ? undefined : live(keyId);
      if (entry === undefined || !isSecretOf(entry, secret)) return undefined;
      entry.usedAtMs = clock();
      return entry.key;
    },

    /** When the key that a secret was has expired; undefined for every other text. */
    expiryOf: (secret: string): Date | undefined => {
      const entry = entries.get(SHAPE.exec(secret)?.[1] ?? '');
      const isExpired = entry !== undefined && clock() >= entry.expiresAtMs;
      return isExpired && isSecretOf(entry, secret) ? new Date(entry.expiresAtMs) : undefined;
    },

    /** The key with this id, while it is valid. */
    find: (keyId: string): ApplicationKey | undefined => live(keyId)?.key,

    /** Whether any environment lets web pages of this origin evaluate. */
    allowsOrigin: (origin: string): boolean => origins.has(origin),

    /** HMAC-SHA256 with the hash of a key's secret: every process can make it, nobody who has only the key id. */
    sign: (
      keyId: string,
      text: string,
      secret: 'current' | 'previous' = 'current',
    ): Buffer | undefined => {
      const entry = live(keyId);
      const hash = entry && (secret === 'current' ? entry.sha256 : previousOfLive(entry));
      return hash && createHmac('sha256', hash).update(text).digest();
    },

    /** Uses since the last time this was asked: key id → epoch milliseconds. */
    takeUses: (): ReadonlyMap<string, number> => {
      const uses = new Map<string, number>();
      for (const [keyId, entry] of entries) {
        if (entry.usedAtMs > 0) uses.set(keyId, entry.usedAtMs);
        entry.usedAtMs = 0;
      }
      return uses;
    },
  };
};

export type KeyMemory = ReturnType<typeof keyMemory>;
