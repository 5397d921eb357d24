import { randomUUID } from 'node:crypto';
import { type ApplicationKeys } from '../identity/ports.js';
import { bySystem } from '../commands/streams/event-store.js';
import { OWNER_GRANTS } from '../domain/access/grants.js';
import { DomainError } from '../domain/decider.js';
import { projectIdOf } from '../domain/streams.js';
import { type CredentialStore, newAdminCredential } from '../infrastructure/keys/api-tokens.js';
import { type WriteSide } from './write-side.js';

/** The organization of an installation with one organization. */
export const FIRST_ORGANIZATION = 'default';

const DEMO = { key: 'demo', name: 'Demo', description: 'Made at the first start.' } as const;

const ENVIRONMENTS = [
  { environment: 'production', name: 'Production', color: '#DC2626', isProduction: true },
  { environment: 'staging', name: 'Staging', color: '#3B82F6' },
] as const;

const COMMAND_TIMEOUT_MS = 10_000;

const request = <C>(command: C, reason: string) => ({
  command,
  metadata: bySystem(randomUUID(), reason),
  grants: OWNER_GRANTS,
  signal: AbortSignal.timeout(COMMAND_TIMEOUT_MS),
});

const createDemo = async ({ projects }: WriteSide): Promise<void> => {
  const organizationId = FIRST_ORGANIZATION;
  const projectId = projectIdOf(organizationId, DEMO.key);
  const data = { organizationId, projectId, ...DEMO, environments: ENVIRONMENTS };
  try {
    await projects(request({ type: 'CreateProject', data } as const, 'first start'));
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'project-exists') throw error;
  }
};

const NAME = 'Admin credential';

/** Those that are not revoked. */
const validTokens = async (credentials: CredentialStore, organizationId: string) => {
  const tokens = await credentials.list({ organizationId });
  return tokens.filter(({ revokedAt }) => revokedAt === null);
};

/**
 * Issues an admin credential, an owner's, and revokes all others of the organization when `replace` is set.
 * @returns the secret, which is nowhere else and cannot be shown again
 */
export const issueAdminCredential = async (
  { apiKeys }: WriteSide,
  credentials: CredentialStore,
  { reason, replace = false }: Readonly<{ reason: string; replace?: boolean }>,
): Promise<string> => {
  const organizationId = FIRST_ORGANIZATION;
  const others = replace ? await validTokens(credentials, organizationId) : [];
  const credential = newAdminCredential();
  const { keyId, prefix, secret } = credential;
  const data = {
    organizationId,
    keyId,
    kind: 'admin',
    name: NAME,
    prefix,
    role: 'owner',
    projects: {},
  } as const;
  await apiKeys(request({ type: 'IssueApiKey', data } as const, reason));
  await credentials.save(credential, {
    organizationId,
    name: NAME,
    grants: OWNER_GRANTS,
    expiresAt: null,
  });
  for (const { keyId: other } of others) {
    await credentials.revoke(organizationId, other);
    const revoked = { organizationId, keyId: other };
    await apiKeys(request({ type: 'RevokeApiKey', data: revoked } as const, reason));
  }
  return secret;
};

/** A key with which an application evaluates the flags of demo/production. */
const issueServerKey = async (keys: ApplicationKeys): Promise<string | undefined> => {
  const [{ environment }] = ENVIRONMENTS;
  const { command, handle, secret } = keys.issuing({
    kind: 'server',
    name: 'first start',
    place: { organizationId: FIRST_ORGANIZATION, project: DEMO.key, environment },
    commandId: randomUUID(),
  });
  await handle(request(command, 'first start'));
  return secret();
};

/** What a first start issues, to be shown once. */
export type FirstCredentials = Readonly<{ admin: string; server: string | undefined }>;

export type FirstStart = Readonly<{
  issued?: FirstCredentials;
  /** There are credentials, and nobody has come with one: they may have been shown to nobody. */
  isUnused: boolean;
}>;

/**
 * Makes what a new installation needs: an organization, the project `demo`, an admin credential and a server key.
 * Safe to run again, also when it was interrupted; not side by side.
 */
export const firstStart = async (
  side: WriteSide,
  credentials: CredentialStore,
  keys: ApplicationKeys,
): Promise<FirstStart> => {
  const tokens = await validTokens(credentials, FIRST_ORGANIZATION);
  if (tokens.length > 0) return { isUnused: tokens.every(({ lastUsedAt }) => lastUsedAt === null) };
  const data = { organizationId: FIRST_ORGANIZATION, name: 'Default organization' };
  await side.organizations(request({ type: 'RegisterOrganization', data } as const, 'first start'));
  await createDemo(side);
  // Before the credential: an interrupted start is one without it, and is run again.
  const server = await issueServerKey(keys);
  const admin = await issueAdminCredential(side, credentials, { reason: 'first start' });
  return { issued: { admin, server }, isUnused: false };
};
