import { type ApiTokens, type KeyHandle } from '../identity/key-ports.js';
import {
  type CredentialStore,
  newAdminCredential,
} from '../infrastructure/postgres/credentials.js';
import { keyIdFrom } from '../infrastructure/secrets.js';
import { revoking, rotationOf, secretMaking } from './secret-making.js';

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
