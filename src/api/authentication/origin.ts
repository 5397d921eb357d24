import { randomUUID } from 'node:crypto';
import { type FastifyRequest } from 'fastify';
import { commandHashOf } from '../../commands/event-id.js';
import { metadataOf } from '../command-route.js';
import { type Origin } from './sessions.js';

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
