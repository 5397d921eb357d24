import { isToken } from '../../api/authentication/access-tokens.js';
import { type Authenticate, type Caller, type Guard } from '../../api/caller.js';
import { DomainError } from '../../domain/decider.js';
import { type CredentialStore } from '../../infrastructure/postgres/credentials.js';
import { type Requests } from '../requests.js';

const nobody = async (): Promise<undefined> => undefined;

type Authenticators = Readonly<{
  credentials: CredentialStore;
  authentication: Readonly<{ person: (token: string) => Caller | undefined }>;
  keys: Readonly<{ expiryOf: (secret: string) => Date | undefined }>;
}>;

const requireUnexpired = (expiredAt: Date | undefined): void => {
  if (expiredAt === undefined) return;
  const when = expiredAt.toISOString();
  throw new DomainError('unauthorized', `The application key expired at ${when}; issue another.`);
};

/** By their shape: access tokens prove a person; API tokens a caller of the one organization they belong to. */
const authenticateWith =
  ({ credentials, authentication, keys }: Authenticators): Authenticate =>
  async (credential) => {
    if (isToken(credential)) return authentication.person(credential);
    requireUnexpired(keys.expiryOf(credential));
    const found = await credentials.verify(credential);
    return found === undefined
      ? undefined
      : {
          organizationId: found.organizationId,
          actor: { id: found.keyId, type: 'apiKey', authMethod: 'admin-credential' },
          grants: found.grants,
        };
  };

/** What lets requests in; in a process without any, nothing does. */
export const guardOf = (requests: Requests | undefined): Guard =>
  requests === undefined
    ? { authenticate: nobody, verifyKey: () => undefined }
    : {
        authenticate: authenticateWith(requests),
        verifyKey: requests.keys.verify,
        browser: requests.authentication.browser,
      };
