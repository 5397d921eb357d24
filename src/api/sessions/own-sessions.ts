import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { type LoginMethod } from '../../domain/session.js';
import { type Person, type Sessions } from '../../identity/ports.js';
import { router } from '../http/route.js';
import {} from '../http/schemas.js';
import { type BrowserSessions } from './browser.js';
import { type AccountLimit, nameLogin, originOf } from './login.js';
import { EndedAnswer, listed, PasswordBody, SessionList, SessionParams } from './schemas.js';

/** @throws DomainError `forbidden` for API tokens */
const personIn = ({ caller }: FastifyRequest): Person => {
  const { organizationId, actor, sessionId } = caller;
  if (sessionId === undefined)
    throw new DomainError('forbidden', 'Only people who have logged in have sessions.');
  return { organizationId, userId: actor.id, sessionId, method: actor.authMethod as LoginMethod };
};

export type OwnSessionRoutesDeps = Readonly<{
  sessions: Sessions;
  browser: BrowserSessions;
  /** Absent: no limit. */
  limit?: AccountLimit | undefined;
}>;

/** What people do about their own sessions and password. */
export const ownSessionRoutes =
  ({ sessions, browser, limit }: OwnSessionRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const route = router(app, { tag: 'sessions', permission: 'own.session' });
    app.addHook('preValidation', nameLogin);

    const logOut = async (request: FastifyRequest, reply: FastifyReply, all: boolean) => {
      const ended = await sessions.logOut(personIn(request), all, originOf(request));
      browser.forget(reply);
      return { ended: [...ended] };
    };

    route('POST', '/auth/logout', 'End this session', {
      answer: EndedAnswer,
      run: (request, reply) => logOut(request, reply, false),
    });

    route('POST', '/auth/logout-everywhere', 'End all sessions of the same person', {
      answer: EndedAnswer,
      run: (request, reply) => logOut(request, reply, true),
    });

    route('GET', '/auth/sessions', 'List your sessions', {
      answer: SessionList,
      run: async (request) => {
        const person = personIn(request);
        const found = await sessions.list(person);
        return { items: found.map((session) => listed(session, person.sessionId)) };
      },
    });

    route('POST', '/auth/sessions/:session/revoke', 'End one of the own sessions', {
      params: SessionParams,
      answer: EndedAnswer,
      run: async (request) => {
        const { session } = request.params;
        if (await sessions.revoke(personIn(request), session, originOf(request)))
          return { ended: [session] };
        throw new DomainError('session-not-found', `You have no session '${session}'.`);
      },
    });

    route('POST', '/auth/password', 'Change your password; all other sessions end', {
      body: PasswordBody,
      answer: EndedAnswer,
      run: async (request, reply) => {
        const person = personIn(request);
        await limit?.(request, reply, person.userId);
        const ended = await sessions.changePassword(person, request.body, originOf(request));
        return { ended: [...ended] };
      },
    });
  };
