import * as openid from 'openid-client';
import { DomainError } from '../../domain/decider.js';
import { boundedFetch, ProviderUnavailable } from './bounded-fetch.js';

export type ProviderOptions = Readonly<{
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Where the provider sends people back to. */
  redirectUri: string;
}>;

/** What binds the provider's answer to the browser that was sent there. Secret. */
export type Challenge = Readonly<{ state: string; nonce: string; verifier: string }>;

/** Whom the provider knows. `email`: only when it has verified it. */
export type Identity = Readonly<{ issuer: string; subject: string; email?: string }>;

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

const isAway = (error: unknown): boolean =>
  error instanceof ProviderUnavailable ||
  (error instanceof Error && error.cause !== undefined && isAway(error.cause));

const unavailable = (cause: unknown): DomainError => {
  const message = 'Try again, or log in with a password.';
  const error = new DomainError('identity-provider-unavailable', message);
  error.cause = cause;
  return error;
};

const verifiedEmail = ({ email, email_verified: isVerified }: Readonly<Record<string, unknown>>) =>
  typeof email === 'string' && isVerified === true ? { email } : {};

/**
 * Logging in at an OpenID provider: authorization code with PKCE, state and nonce (RFC 9700, OpenID Connect Core 1.0).
 * All reject with a DomainError `identity-provider-unavailable` while it cannot be used.
 */
export const oidcProvider = (options: ProviderOptions) => {
  const { clientId, clientSecret, redirectUri } = options;
  const issuer = new URL(options.issuer);
  let discovered: Promise<openid.Configuration> | undefined;

  const discover = (): Promise<openid.Configuration> =>
    openid.discovery(issuer, clientId, clientSecret, undefined, {
      [openid.customFetch]: (url, { method, headers, body }) =>
        boundedFetch(url, { method, headers, body: body as NonNullable<RequestInit['body']> }),
      // Without TLS only on this machine.
      execute: LOOPBACK.has(issuer.hostname) ? [openid.allowInsecureRequests] : [],
    });

  /** Asked once, and again after a failure. */
  const configuration = (): Promise<openid.Configuration> => {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw unavailable(error);
    });
    return discovered;
  };

  const exchange = async (
    config: openid.Configuration,
    answer: URLSearchParams,
    { state, nonce, verifier }: Challenge,
  ): Promise<Identity | undefined> => {
    const url = new URL(redirectUri);
    url.search = answer.toString();
    const tokens = await openid.authorizationCodeGrant(config, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) return undefined;
    const person = await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
    return { issuer: claims.iss, subject: claims.sub, ...verifiedEmail(person) };
  };

  return {
    /** Where to send the browser, and what its answer must fit. */
    start: async (): Promise<Readonly<{ url: string; challenge: Challenge }>> => {
      const config = await configuration();
      const challenge = {
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        verifier: openid.randomPKCECodeVerifier(),
      };
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid email',
        state: challenge.state,
        nonce: challenge.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(challenge.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, challenge };
    },

    /** `answer`: the query that the provider sent the browser back with. Undefined when it proves nothing. */
    finish: async (
      answer: URLSearchParams,
      challenge: Challenge,
    ): Promise<Identity | undefined> => {
      const config = await configuration();
      try {
        return await exchange(config, answer, challenge);
      } catch (error) {
        if (isAway(error)) throw unavailable(error);
        return undefined;
      }
    },
  };
};

export type OidcProvider = ReturnType<typeof oidcProvider>;
