import { join } from 'node:path';
import { type Logger } from 'pino';
import type pg from 'pg';
import {
  type ApplicationKeys,
  type KeyPlace,
  type NewApplicationKey,
} from '../api/routes/application-keys.js';
import { type Config } from '../config.js';
import { projectIdOf } from '../domain/streams.js';
import { keyFile } from '../infrastructure/application-keys/key-file.js';
import { keyMemory } from '../infrastructure/application-keys/key-memory.js';
import { keySupply } from '../infrastructure/application-keys/key-supply.js';
import { keyTable } from '../infrastructure/application-keys/key-table.js';
import { keyIdFrom, newSecret } from '../infrastructure/secrets.js';
import { type WriteSide } from './write-side.js';

const KINDS = { server: 'srv', client: 'cli' } as const;

type KeyDeps = Readonly<{
  pool: pg.Pool;
  commands: WriteSide;
  /** Rejects with a DomainError when there is no such environment. */
  requireEnvironment: (place: KeyPlace) => Promise<void>;
  log: Logger;
}>;

/**
 * Application keys: what verifies them, and what issues and revokes them. A key is logged before its hash is stored,
 * so that none works that the log does not know; it is refused before its revocation is logged. What is interrupted
 * in between works for nobody, and is completed by revoking.
 */
export const startApplicationKeys = async (
  { dataDirectory }: Config,
  { pool, commands, requireEnvironment, log }: KeyDeps,
) => {
  const memory = keyMemory();
  const table = keyTable(pool);
  const listeners = new Set<() => void>();
  const supply = keySupply({
    memory,
    table,
    file: keyFile(join(dataDirectory, 'application-keys.json')),
    log,
    onChange: () => {
      for (const listener of listeners) listener();
    },
  });
  await supply.start();

  const issuing = ({ kind, place, name, expiresAt, commandId }: NewApplicationKey) => {
    const { organizationId, project, environment } = place;
    const keyId = keyIdFrom(organizationId, project, environment, commandId);
    const { prefix, secret, sha256 } = newSecret(KINDS[kind], keyId);
    let isStored = false;
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
      handle: async (request: Parameters<WriteSide['apiKeys']>[0]) => {
        const outcome = await commands.apiKeys(request);
        if (outcome.kind === 'recorded') {
          await table.save({ ...place, keyId, kind, name, sha256, expiresAt: expiresAt ?? null });
          await supply.refresh();
          isStored = true;
        }
        return outcome;
      },
      secret: () => (isStored ? secret : undefined),
    };
  };

  const keys: ApplicationKeys = {
    issuing,
    revoking: (keyId, place) => async (request) => {
      const asked = await commands.apiKeys({ ...request, dryRun: true });
      if (request.dryRun === true) return asked;
      await table.revoke(keyId, place);
      await supply.refresh();
      return commands.apiKeys(request);
    },
    list: async (place) => {
      await requireEnvironment(place);
      return table.list(place);
    },
  };

  return {
    ...keys,
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
