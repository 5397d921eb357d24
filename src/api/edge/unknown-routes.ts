import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Problem, problemOf } from '../problem.js';

/** A route's path as a pattern over whole paths: `:name` is one segment, `*` any number. */
const patternOf = (url: string): RegExp => {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:\w+/g, '[^/]+')
    .replace('*', '.*');
  return new RegExp(`^${source}$`);
};

const refuse = (
  reply: FastifyReply,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply =>
  reply.code(problem.status).headers(headers).type('application/problem+json').send(problem);

/** 405 and `Allow` for a path that has routes of other methods, 404 for all others. Comes before the routes. */
export const answerUnknownRoutes = (app: FastifyInstance): void => {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOf.set(url, methods);
  });

  const allowed = (path: string): readonly string[] => {
    const matching = [...methodsOf].filter(([url]) => patternOf(url).test(path));
    return [...new Set(matching.flatMap(([, methods]) => [...methods]))].toSorted();
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { method, id } = request;
    const [path = ''] = request.url.split('?', 1);
    const allow = allowed(path).join(', ');
    if (allow === '') {
      const detail = `There is no ${method} ${path}; see /docs.`;
      return refuse(reply, problemOf('route-not-found', id, { detail }));
    }
    const detail = `There is no ${method} of it; there is ${allow}.`;
    return refuse(reply, problemOf('method-not-allowed', id, { detail }), { allow });
  };
  app.setNotFoundHandler({}, answer);
};
