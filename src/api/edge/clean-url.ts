import { type FastifyInstance } from 'fastify';
import { DomainError } from '../../domain/decider.js';

/** No path and no query has U+0000: Postgres cannot store it, so in an event it would stop the read model. */
export const refuseNul = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, _, done) => {
    const isClean = !request.url.includes('%00');
    done(isClean ? undefined : new DomainError('invalid-request', 'The URL has U+0000 (%00).'));
  });
};
