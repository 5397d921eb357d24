import { DomainError } from '../domain/decider.js';
import { type AccountTable, type IdentityTable } from '../infrastructure/accounts/account-table.js';
import { emailLookup } from '../infrastructure/accounts/accounts.js';
import {
  type Challenge,
  type Identity,
  type OidcProvider,
} from '../infrastructure/accounts/oidc-provider.js';
import { type MasterKey, type Wrapping } from '../infrastructure/keys/master-key.js';
import { type OidcLogins, type OpenSession, type Origin } from './ports.js';
import { type OpenSessions } from './sessions.js';

const CONTEXT = 'login at a provider';
/** How long a login at the provider may take. */
const PATIENCE_MS = 10 * 60 * 1000;

type OidcDeps = Readonly<{
  accounts: AccountTable;
  identities: IdentityTable;
  wrapping: Wrapping;
  masterKey: MasterKey;
  sessions: OpenSessions;
  isMember: (organizationId: string, userId: string) => boolean;
}>;

type Begun = Readonly<{
  organizationId: string;
  hasCookies: boolean;
  challenge: Challenge;
  untilMs: number;
}>;

/** What the browser keeps meanwhile: sealed, so that it neither reads nor makes one. */
const sealing = (wrapping: Wrapping) => ({
  seal: (begun: Begun): string =>
    wrapping.wrap(Buffer.from(JSON.stringify(begun)), CONTEXT).toString('base64url'),
  open: (sealed: string): Begun | undefined => {
    try {
      const opened = wrapping.unwrap(Buffer.from(sealed, 'base64url'), CONTEXT).toString();
      const begun = JSON.parse(opened) as Begun;
      return begun.untilMs > Date.now() ? begun : undefined;
    } catch {
      return undefined;
    }
  },
});

const notConfigured = async (): Promise<never> => {
  throw new DomainError('route-not-found', 'No OpenID provider is configured.');
};

/** Logging in at a provider; without one, both refuse. */
export const oidcLogins = (provider: OidcProvider | undefined, deps: OidcDeps): OidcLogins => {
  if (provider === undefined) return { start: notConfigured, finish: notConfigured };
  const { accounts, identities, wrapping, sessions, isMember } = deps;
  const { seal, open } = sealing(deps.masterKey.for('logins at a provider'));

  /** The first time, by an address that the provider has verified. */
  const linked = async (organizationId: string, { email, ...identity }: Identity) => {
    if (email === undefined) return undefined;
    const rows = await accounts.withEmail(emailLookup(wrapping, { organizationId, email }));
    const account = rows.find(({ userId }) => isMember(organizationId, userId));
    if (account === undefined) return undefined;
    const { userId } = account;
    const isLinked = await identities.link({ organizationId, ...identity }, userId);
    return isLinked ? userId : undefined;
  };

  const sessionOf = async (
    organizationId: string,
    identity: Identity,
    origin: Origin,
  ): Promise<OpenSession | undefined> => {
    const known = await identities.userOf({ organizationId, ...identity });
    const userId = known ?? (await linked(organizationId, identity));
    return userId !== undefined && isMember(organizationId, userId)
      ? sessions.start({ organizationId, userId, method: 'oidc' }, origin)
      : undefined;
  };

  return {
    start: async ({ organizationId, hasCookies }) => {
      const { url, challenge } = await provider.start();
      const untilMs = Date.now() + PATIENCE_MS;
      return { url, sealed: seal({ organizationId, hasCookies, challenge, untilMs }) };
    },
    finish: async ({ sealed, answer }, origin) => {
      const begun = open(sealed);
      const identity = begun && (await provider.finish(answer, begun.challenge));
      if (begun === undefined || identity === undefined) return undefined;
      const session = await sessionOf(begun.organizationId, identity, origin);
      return session && { session, hasCookies: begun.hasCookies };
    },
  };
};
