import { join } from 'node:path';
import { type Logger } from 'pino';
import type pg from 'pg';
import {
  type ApplicationKeys,
  type KeyHandle,
  type KeyPlace,
  type NewApplicationKey,
} from '../identity/key-ports.js';
import { projectIdOf } from '../domain/streams.js';
import { keyFile } from '../infrastructure/application-keys/key-file.js';
import { keyLists } from '../infrastructure/application-keys/key-lists.js';
import { keyMemory } from '../infrastructure/application-keys/key-memory.js';
import { keySupply } from '../infrastructure/application-keys/key-supply.js';
import { keyTable } from '../infrastructure/application-keys/key-table.js';
import { keyIdFrom, newSecret } from '../infrastructure/secrets.js';
import { revoking, rotationOf, secretMaking } from './secret-making.js';

const KINDS = { server: 'srv', client: 'cli' } as const;

type KeyDeps = Readonly<{
  pool: pg.Pool;
  handle: KeyHandle;
  /** Rejects with a DomainError when there is no such environment. */
  requireEnvironment: (place: KeyPlace) => Promise<void>;
  log: Logger;
  /** Of API tokens; recorded together with those of the keys. */
  tokenUses: () => ReadonlyMap<string, number>;
}>;

/** Application keys: what verifies them, and what issues, rotates and revokes them. */
export const startApplicationKeys = async (
  dataDirectory: string,
  { pool, handle, requireEnvironment, log, tokenUses }: KeyDeps,
) => {
  const memory = keyMemory();
  const table = keyTable(pool);
  const lists = keyLists(pool);
  const listeners = new Set<() => void>();
  const supply = keySupply({
    memory,
    table,
    file: keyFile(join(dataDirectory, 'application-keys.json')),
    log,
    otherUses: tokenUses,
    onChange: () => {
      for (const listener of listeners) listener();
    },
  });
  await supply.start();

  const issuing = ({ kind, place, name, expiresAt, commandId }: NewApplicationKey) => {
    const { organizationId, project, environment } = place;
    const keyId = keyIdFrom(organizationId, project, environment, commandId);
    const { prefix, secret, sha256 } = newSecret(KINDS[kind], keyId);
    const data = {
      organizationId,
      projectId: projectIdOf(organizationId, project),
      environment,
      keyId,
      kind,
      name,
      prefix,
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    };
    return {
      keyId,
      command: { type: 'IssueApiKey', data } as const,
      ...secretMaking(handle, async () => {
        const key = { ...place, keyId, kind, name, sha256, expiresAt: expiresAt ?? null };
        const isSaved = await table.save(key);
        await supply.refresh();
        return isSaved ? secret : undefined;
      }),
    };
  };

  const keys: ApplicationKeys = {
    issuing,
    rotating: (keyId, place) =>
      secretMaking(handle, async (outcome) => {
        const { after } = outcome;
        const isClient = after.status !== 'absent' && after.kind === 'client';
        const fresh = newSecret(isClient ? 'cli' : 'srv', keyId);
        const isRotated = await table.rotate(fresh, place, rotationOf(outcome));
        await supply.refresh();
        return isRotated ? fresh.secret : undefined;
      }),
    revoking: (keyId, place) =>
      revoking(handle, async () => {
        await table.revoke(keyId, place);
        await supply.refresh();
      }),
    list: async (place) => {
      await requireEnvironment(place);
      return lists.list(place);
    },
  };

  return {
    ...keys,
    report: lists.report,
    verify: memory.verify,
    expiryOf: memory.expiryOf,
    find: memory.find,
    sign: memory.sign,
    allowsOrigin: memory.allowsOrigin,
    /** Told after every change of the keys. */
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: supply.close,
  };
};

export type StartedApplicationKeys = Awaited<ReturnType<typeof startApplicationKeys>>;
