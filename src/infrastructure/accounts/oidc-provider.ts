import { Buffer } from 'node:buffer';
import * as openid from 'openid-client';
import { DomainError } from '../../domain/decider.js';

/** The provider cannot be reached, does not answer in time, or answers that it is broken. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** Documents of a provider have a few kilobytes. */
const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 5_000;

const NO_BODY = new Set([204, 205, 304]);

const readAll = async ({ body }: Response): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new ProviderUnavailable('Its answer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/**
 * A fetch for answers of somebody else: no redirects, a few seconds and a few kilobytes.
 * @throws ProviderUnavailable
 */
export const boundedFetch = async (
  url: string,
  options: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  timeoutMs = TIMEOUT_MS,
): Promise<Response> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { ...options, redirect: 'manual', signal });
    if (response.status >= 500) throw new ProviderUnavailable(`It answered ${response.status}.`);
    const content = await readAll(response);
    const { status, headers: told } = response;
    return new Response(NO_BODY.has(status) ? null : new Uint8Array(content), {
      status,
      headers: told,
    });
  } catch (cause) {
    if (cause instanceof ProviderUnavailable) throw cause;
    throw new ProviderUnavailable('It did not answer.', { cause });
  }
};

type ProviderOptions = Readonly<{
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Where the provider sends people back to. */
  redirectUri: string;
}>;

/** What binds the provider's answer to the browser that was sent there. Secret. */
export type Challenge = Readonly<{ state: string; nonce: string; verifier: string }>;

/** The person at the provider. `email`: only when the provider has verified it. */
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
