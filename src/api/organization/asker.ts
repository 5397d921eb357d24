import { type FastifyRequest } from 'fastify';
import { type Asker } from '../../commands/organization/members/guards.js';
import { DomainError } from '../../domain/decider.js';

/** Who asks, as the stream of the organization knows them. */
export const askerOf = ({ caller: { actor, grants } }: Pick<FastifyRequest, 'caller'>): Asker =>
  actor.type === 'user' ? { userId: actor.id } : { role: grants.role };

/** @throws DomainError `forbidden` for a caller that is no user */
export const userIn = ({ caller: { actor } }: Pick<FastifyRequest, 'caller'>): string => {
  if (actor.type === 'user') return actor.id;
  throw new DomainError('forbidden', 'Only a member who has logged in can do this.');
};
