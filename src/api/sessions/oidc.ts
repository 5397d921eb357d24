import { fastifyCookie } from '@fastify/cookie';
import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { DomainError } from '../../domain/decider.js';
import { type OidcLogins } from '../../identity/ports.js';
import { closed, problems } from '../http/schemas.js';
import { type BrowserSessions } from './browser.js';
import { nameLogin, originOf, sessionSender } from './login.js';
import { SessionAnswer } from './schemas.js';

/** What the browser keeps while somebody is at the provider. */
const COOKIE_NAME = '__Host-chronoflag-oidc';
/** Lax: the provider's redirect comes from another site. */
const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;
const COOKIE_SECONDS = 600;

const Start = Type.Object(
  {
    organization: Type.String({ minLength: 1, maxLength: 100, description: 'Its id.' }),
    cookies: Type.Optional(
      Type.Boolean({ description: 'false: tokens in the answer instead. Default: true.' }),
    ),
  },
  closed,
);

/** Providers may add what they like. */
const Answered = Type.Object(
  {
    state: Type.Optional(Type.String({ maxLength: 500 })),
    code: Type.Optional(Type.String({ maxLength: 4_000 })),
    error: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: true },
);

/** Logging in at an OpenID provider, in a browser. */
export const oidcRoutes =
  (logins: OidcLogins, browser: BrowserSessions): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { serialize, parse } = fastifyCookie;
    const send = sessionSender(browser);
    app.addHook('preValidation', nameLogin);

    app.get(
      '/auth/oidc/start',
      {
        config: { access: 'public' },
        schema: {
          tags: ['sessions'],
          summary: 'Go to the OpenID provider to log in',
          querystring: Start,
          response: { 302: { type: 'null', description: 'To the provider.' }, ...problems },
        },
      },
      async (request, reply) => {
        const { organization: organizationId, cookies: hasCookies = true } = request.query;
        const { url, sealed } = await logins.start({ organizationId, hasCookies });
        const cookie = serialize(COOKIE_NAME, sealed, { ...COOKIE, maxAge: COOKIE_SECONDS });
        return reply.header('set-cookie', cookie).redirect(url, 302);
      },
    );

    app.get(
      '/auth/oidc/callback',
      {
        config: { access: 'public', budget: 'login' },
        schema: {
          tags: ['sessions'],
          summary: 'Where the OpenID provider sends people back to',
          querystring: Answered,
          response: { 200: SessionAnswer, ...problems },
        },
      },
      async (request, reply) => {
        const sealed = parse(request.headers.cookie ?? '')[COOKIE_NAME] ?? '';
        const answer = new URL(request.url, 'http://localhost').searchParams;
        void reply.header('set-cookie', serialize(COOKIE_NAME, '', { ...COOKIE, maxAge: 0 }));
        const found = await logins.finish({ sealed, answer }, originOf(request));
        if (found === undefined)
          throw new DomainError(
            'unauthorized',
            'The account at the provider belongs to no member of the organization.',
          );
        return send(reply, found.session, found.hasCookies);
      },
    );
  };
