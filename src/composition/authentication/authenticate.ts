import { type AccessTokens } from '../../api/authentication/access-tokens.js';
import { type Caller, type GrantsOf } from '../../api/caller.js';
import { actorOf } from './sessions.js';

export type TokenSources = Readonly<{
  tokens: AccessTokens;
  /** Whether a session has ended lately: then its tokens, which are valid still, count no more. */
  hasEnded: (sessionId: string) => boolean;
  grantsOf: GrantsOf;
}>;

/** The person whom an access token proves; waits for nothing. */
export const personWith =
  ({ tokens, hasEnded, grantsOf }: TokenSources) =>
  (token: string): Caller | undefined => {
    const claims = tokens.verify(token);
    if (claims === undefined || hasEnded(claims.sessionId)) return undefined;
    const { organizationId, userId, sessionId } = claims;
    const grants = grantsOf(organizationId, userId);
    return grants && { organizationId, actor: actorOf(claims), grants, sessionId };
  };
