import { fastifyCookie } from '@fastify/cookie';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { ACCESS_TOKEN_SECONDS } from './access-tokens.js';

/** The prefixes make browsers insist on Secure and, for `__Host-`, on this host and all of it. RFC 6265bis, 4.1.3. */
const ACCESS_COOKIE = '__Host-chronoflag-access';
const REFRESH_COOKIE = '__Secure-chronoflag-refresh';

/** What no form and no other site can send without being asked first (CORS). */
export const CSRF_HEADER = 'x-chronoflag-csrf';

/** How long a refresh token lives unused. Seconds. */
const REFRESH_SECONDS = 14 * 24 * 60 * 60;

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

const COOKIE = { httpOnly: true, secure: true, sameSite: 'strict' } as const;

const cookieIn = ({ headers }: FastifyRequest, name: string): string | undefined =>
  headers.cookie === undefined ? undefined : fastifyCookie.parse(headers.cookie)[name];

/**
 * Sessions of web pages: tokens in cookies that no script can read. A cookie comes with every request that a browser is
 * made to send, so that whatever changes something must also come from a page of our own. `publicUrl`: where that is.
 */
export const browserSessions = (publicUrl?: string) => {
  const own = publicUrl === undefined ? undefined : new URL(publicUrl);
  const path = own === undefined || own.pathname === '/' ? '' : own.pathname;
  const accessCookie = { ...COOKIE, path: '/' };
  const refreshCookie = { ...COOKIE, path: `${path}/api/v1/auth` };

  const isOwnOrigin = ({ headers, protocol, host }: FastifyRequest): boolean =>
    headers.origin === (own?.origin ?? `${protocol}://${host}`);

  /** Browsers say where a request comes from in Sec-Fetch-Site; older ones in Origin. */
  const isFromOwnPage = (request: FastifyRequest): boolean => {
    const site = request.headers['sec-fetch-site'];
    return site === undefined ? isOwnOrigin(request) : site === 'same-origin';
  };

  /** @throws DomainError `forbidden` unless a page of our own sent it, and meant to */
  const requireOwnPage = (request: FastifyRequest): void => {
    if (isFromOwnPage(request) && request.headers[CSRF_HEADER] !== undefined) return;
    throw new DomainError(
      'forbidden',
      `With cookies, this needs a page of the same origin and the header "${CSRF_HEADER}".`,
    );
  };

  const put = (reply: FastifyReply, cookies: readonly string[]): void => {
    void reply.header('set-cookie', [...cookies]);
  };

  return {
    requireOwnPage,

    /** The access token in the cookie, where no credential is in a header. @throws DomainError `forbidden` */
    accessTokenIn: (request: FastifyRequest): string | undefined => {
      const { authorization, 'x-api-key': key } = request.headers;
      if (authorization !== undefined || key !== undefined) return undefined;
      const token = cookieIn(request, ACCESS_COOKIE);
      if (token !== undefined && !SAFE.has(request.method)) requireOwnPage(request);
      return token;
    },

    /** @throws DomainError `forbidden` */
    refreshTokenIn: (request: FastifyRequest): string | undefined => {
      const token = cookieIn(request, REFRESH_COOKIE);
      if (token !== undefined) requireOwnPage(request);
      return token;
    },

    keep: (
      reply: FastifyReply,
      { accessToken, refreshToken }: Readonly<{ accessToken: string; refreshToken: string }>,
    ): void => {
      const { serialize } = fastifyCookie;
      put(reply, [
        serialize(ACCESS_COOKIE, accessToken, { ...accessCookie, maxAge: ACCESS_TOKEN_SECONDS }),
        serialize(REFRESH_COOKIE, refreshToken, { ...refreshCookie, maxAge: REFRESH_SECONDS }),
      ]);
    },

    forget: (reply: FastifyReply): void => {
      const { serialize } = fastifyCookie;
      put(reply, [
        serialize(ACCESS_COOKIE, '', { ...accessCookie, maxAge: 0 }),
        serialize(REFRESH_COOKIE, '', { ...refreshCookie, maxAge: 0 }),
      ]);
    },
  };
};

export type BrowserSessions = ReturnType<typeof browserSessions>;
