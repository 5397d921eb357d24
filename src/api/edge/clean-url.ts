import { type FastifyInstance } from 'fastify';
import { DomainError } from '../../domain/decider.js';

/** No path and no query has U+0000: Postgres cannot store it, so in an event it would stop the read model. */
export const refuseNul = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, _, done) => {
    if (request.url.includes('%00'))
      throw new DomainError('invalid-request', 'The URL has the character U+0000 (%00).');
    done();
  });
};
