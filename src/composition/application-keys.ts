import { join } from 'node:path';
import { type Logger } from 'pino';
import type pg from 'pg';
import {
  type ApplicationKeys,
  type KeyPlace,
  type NewApplicationKey,
} from '../api/routes/keys/application-keys.js';
import { type Config } from '../config.js';
import { projectIdOf } from '../domain/streams.js';
import { keyFile } from '../infrastructure/application-keys/key-file.js';
import { keyLists } from '../infrastructure/application-keys/key-lists.js';
import { keyMemory } from '../infrastructure/application-keys/key-memory.js';
import { keySupply } from '../infrastructure/application-keys/key-supply.js';
import { keyTable } from '../infrastructure/application-keys/key-table.js';
import { keyIdFrom, newSecret } from '../infrastructure/secrets.js';
import { revoking, secretMaking } from './secret-making.js';
import { type WriteSide } from './write-side.js';

const KINDS = { server: 'srv', client: 'cli' } as const;

type KeyDeps = Readonly<{
  pool: pg.Pool;
  commands: WriteSide;
  /** Rejects with a DomainError when there is no such environment. */
  requireEnvironment: (place: KeyPlace) => Promise<void>;
  log: Logger;
  /** Of API tokens; recorded together with those of the keys. */
  tokenUses: () => ReadonlyMap<string, number>;
}>;

/** Application keys: what verifies them, and what issues, rotates and revokes them. */
export const startApplicationKeys = async (
  { dataDirectory }: Config,
  { pool, commands, requireEnvironment, log, tokenUses }: KeyDeps,
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
      ...secretMaking(commands.apiKeys, async () => {
        await table.save({ ...place, keyId, kind, name, sha256, expiresAt: expiresAt ?? null });
        await supply.refresh();
        return secret;
      }),
    };
  };

  const keys: ApplicationKeys = {
    issuing,
    rotating: (keyId, place, overlapUntil) => {
      return secretMaking(commands.apiKeys, async (apiKey) => {
        const isClient = apiKey.status !== 'absent' && apiKey.kind === 'client';
        const fresh = newSecret(isClient ? 'cli' : 'srv', keyId);
        await table.rotate(fresh, place, overlapUntil);
        await supply.refresh();
        return fresh.secret;
      });
    },
    revoking: (keyId, place) =>
      revoking(commands.apiKeys, async () => {
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
    find: memory.find,
    sign: memory.sign,
    /** Told after every change of the keys. */
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: supply.close,
  };
};

export type StartedApplicationKeys = Awaited<ReturnType<typeof startApplicationKeys>>;
