import { randomUUID } from 'node:crypto';
import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { commandHashOf } from '../../commands/streams/event-store.js';
import { DomainError } from '../../domain/decider.js';
import { type OpenSession, type Origin, type Sessions } from '../../identity/ports.js';
import { metadataOf } from '../http/command-route.js';
import { problems } from '../http/schemas.js';
import { sharedBuckets } from '../limits/buckets.js';
import { type Limits } from '../limits/limit-requests.js';
import { clientNetwork, refusalOf, tellBudget } from '../limits/refusal.js';
import { type BrowserSessions } from './browser.js';
import { answerOf, LoginBody, RefreshBody, SessionAnswer } from './schemas.js';

/** What tells an account apart, in a form that may be kept anywhere. */
type AccountKey = (organizationId: string, email: string) => string;

/**
 * Counts attempts at one account from one network. From elsewhere its owner still gets in, so that a stranger locks
 * nobody out. @throws DomainError `rate-limited`
 */
export const accountLimit = ({ budgets: { account: budget }, takeShared }: Limits) => {
  const take = sharedBuckets(takeShared);
  return async (request: FastifyRequest, reply: FastifyReply, account: string): Promise<void> => {
    if (budget === undefined) return;
    const key = `account:${account}:${clientNetwork(request.ip)}`;
    const taken = await take([{ key, budget }]);
    if (taken === undefined) return;
    if (!taken.isAllowed) throw refusalOf(reply, taken, 'attempts at this account');
    tellBudget(reply, taken);
  };
};

export type AccountLimit = ReturnType<typeof accountLimit>;

/** Gives the request a command id of its own: logins are never repeated for a key that the client chose. */
export const nameLogin = async (request: FastifyRequest): Promise<void> => {
  request.commandId = randomUUID();
};

/**
 * What is kept next to the events of this request. Nothing of its body, which holds passwords and tokens: from a hash in
 * a log that is never altered a weak password could be guessed at leisure.
 */
export const originOf =
  (request: FastifyRequest): Origin =>
  (actor) => ({
    ...metadataOf(request),
    commandHash: commandHashOf(request.commandId),
    actor,
  });

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

type SessionRoutesDeps = Readonly<{
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
