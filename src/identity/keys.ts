import { join } from 'node:path';
import type pg from 'pg';
import { type Logger } from 'pino';
import { type CommandOutcome } from '../commands/streams/command.js';
import { type ApiKey } from '../domain/api-key.js';
import { type ApiKeyEvent } from '../domain/organization.js';
import { projectIdOf } from '../domain/streams.js';
import { type CredentialStore, newAdminCredential } from '../infrastructure/keys/api-tokens.js';
import { keyMemory } from '../infrastructure/keys/application-key-memory.js';
import { keyFile, keySupply } from '../infrastructure/keys/application-key-supply.js';
import { keyLists, keyTable } from '../infrastructure/keys/application-key-table.js';
import { keyIdFrom, newSecret } from '../infrastructure/keys/secrets.js';
import {
  type ApiTokens,
  type ApplicationKeys,
  type KeyHandle,
  type KeyPlace,
  type NewApplicationKey,
  type SecretMaking,
} from './ports.js';

/**
 * A command that gives a key a secret, which `make` stores the hash of and answers. It is logged before, so that none
 * works that the log does not know; what is interrupted in between works for nobody. Two processes that get one command
 * at the same time both find it logged by their own try: `make` answers undefined to the one whose secret was not
 * stored, and that one's answer is a repeat, whichever of them wrote the event.
 */
const secretMaking = (
  commands: KeyHandle,
  make: (outcome: CommandOutcome<ApiKey, ApiKeyEvent>) => Promise<string | undefined>,
): SecretMaking => {
  let secret: string | undefined;
  return {
    handle: async (request) => {
      const outcome = await commands(request);
      if (outcome.kind !== 'recorded' && outcome.isOwnTry !== true) return outcome;
      secret = await make(outcome);
      return secret === undefined
        ? { ...outcome, kind: 'repeated', isOwnTry: false }
        : { ...outcome, kind: 'recorded', isFirst: true };
    },
    secret: () => secret,
  };
};

/** What a rotation was logged as: the time of the command is not kept longer than the key itself. */
const rotationOf = ({ after, revision }: CommandOutcome<ApiKey, ApiKeyEvent>) => ({
  overlapUntil: new Date((after.status !== 'absent' && after.overlapUntil) || 0),
  revision,
});

/** A key is refused before its revocation is logged; when that is interrupted, it is completed by revoking again. */
const revoking =
  (commands: KeyHandle, revoke: () => Promise<void>): KeyHandle =>
  async (request) => {
    const asked = await commands({ ...request, dryRun: true });
    if (request.dryRun === true) return asked;
    await revoke();
    return commands(request);
  };

/** API tokens: what issues, rotates, revokes and lists them. */
export const apiTokens = (apiKeys: KeyHandle, credentials: CredentialStore): ApiTokens => ({
  issuing: ({ organizationId, name, grants, by, expiresAt, commandId }) => {
    const fresh = newAdminCredential(keyIdFrom(organizationId, 'token', commandId));
    const { keyId, prefix } = fresh;
    const data = {
      ...{ organizationId, keyId, kind: 'admin' as const, name, prefix, ...grants, by },
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    };
    const token = { organizationId, name, grants, expiresAt: expiresAt ?? null };
    return {
      keyId,
      command: { type: 'IssueApiKey', data },
      ...secretMaking(apiKeys, async () =>
        (await credentials.save(fresh, token)) ? fresh.secret : undefined,
      ),
    };
  },

  rotating: ({ organizationId, keyId }) =>
    secretMaking(apiKeys, async (outcome) => {
      const fresh = newAdminCredential(keyId);
      const isRotated = await credentials.rotate(organizationId, fresh, rotationOf(outcome));
      return isRotated ? fresh.secret : undefined;
    }),

  revoking: ({ organizationId, keyId }) =>
    revoking(apiKeys, () => credentials.revoke(organizationId, keyId)),

  list: credentials.list,
});

const KINDS = { server: 'srv', client: 'cli' } as const;

type KeyDeps = Readonly<{
  pool: pg.Pool;
  handle: KeyHandle;
  /** Rejects with a DomainError when there is no such environment. */
  requireEnvironment: (place: KeyPlace) => Promise<void>;
  log: Logger;
  /** Last use of API tokens; recorded together with that of the keys. */
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
    /** Called after every change of the keys. */
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: supply.close,
  };
};

export type StartedApplicationKeys = Awaited<ReturnType<typeof startApplicationKeys>>;
