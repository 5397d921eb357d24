import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { problems } from '../schemas.js';
import { type AccountKey, type AccountLimit } from './account-limit.js';
import { type BrowserSessions } from './browser.js';
import { nameLogin, originOf } from './origin.js';
import { answerOf, LoginBody, RefreshBody, SessionAnswer } from './session-schemas.js';
import { type OpenSession, type Sessions } from './sessions.js';

const about = (summary: string) => ({
  tags: ['sessions'],
  summary,
  response: { 200: SessionAnswer, ...problems },
});

const wrong = (what: string): DomainError =>
  new DomainError('unauthorized', `${what}; nothing more is told.`);

/** Answers with a session that somebody just got. */
export const sessionSender =
  (browser: BrowserSessions) =>
  (reply: FastifyReply, session: OpenSession, hasCookies: boolean) => {
    if (hasCookies) browser.keep(reply, session);
    return answerOf(session, hasCookies);
  };

export type SessionRoutesDeps = Readonly<{
  sessions: Sessions;
  browser: BrowserSessions;
  accountKey: AccountKey;
  /** Absent: no limit. */
  limit?: AccountLimit | undefined;
}>;

/** Ways to get tokens: by password, and by the refresh token of a session. */
export const sessionRoutes =
  ({ sessions, browser, accountKey, limit }: SessionRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const send = sessionSender(browser);
    app.addHook('preValidation', nameLogin);

    app.post(
      '/auth/login',
      {
        config: { access: 'public', budget: 'login' },
        schema: { ...about('Log in with a password'), body: LoginBody },
      },
      async (request, reply) => {
        const { organization: organizationId, email, password, cookies = false } = request.body;
        if (cookies) browser.requireOwnPage(request);
        await limit?.(request, reply, accountKey(organizationId, email));
        const login = { organizationId, email, password };
        const session = await sessions.logIn(login, originOf(request));
        if (session === undefined) throw wrong('Organization, address or password is wrong');
        return send(reply, session, cookies);
      },
    );

    const tokenIn = (request: FastifyRequest, token: string | undefined): string => {
      const found = token ?? browser.refreshTokenIn(request);
      if (found === undefined) throw wrong('There is no refresh token');
      return found;
    };

    app.post(
      '/auth/refresh',
      {
        config: { access: 'public' },
        schema: { ...about('Get new tokens for a refresh token'), body: RefreshBody },
      },
      async (request, reply) => {
        const { refreshToken } = request.body;
        const token = tokenIn(request, refreshToken);
        const session = await sessions.refresh(token, originOf(request));
        if (session === undefined) throw wrong('The refresh token does not count (any more)');
        return send(reply, session, refreshToken === undefined);
      },
    );
  };
