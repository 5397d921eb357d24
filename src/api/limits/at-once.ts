import { type FastifyReply } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { tallies } from './tallies.js';

/** How much of a dear kind of work is done at the same time: for one organization, and by this process. */
export type AtOnce = Readonly<{ perOrganization: number; perProcess: number }>;

/** Seconds: such work takes from a moment to minutes. */
const RETRY_AFTER = '30';

/** Does work that is dear, when not too much of it is going on; else refuses at once. `what` it is, in the plural. */
export const workAtOnce = ({ perOrganization, perProcess }: AtOnce, what: string) => {
  const running = tallies();
  const EVERYBODY = '';

  const refusal = (organizationId: string): DomainError | undefined => {
    if (running.of(`of ${organizationId}`) >= perOrganization)
      return new DomainError('rate-limited', `Others of your ${what} are still going on.`);
    if (running.of(EVERYBODY) >= perProcess)
      return new DomainError('overloaded', `Too many ${what} are going on.`);
    return undefined;
  };

  /** @throws DomainError rate-limited, overloaded */
  return async <T>(
    organizationId: string,
    reply: FastifyReply,
    work: () => Promise<T>,
  ): Promise<T> => {
    const refused = refusal(organizationId);
    if (refused !== undefined) {
      void reply.header('retry-after', RETRY_AFTER);
      throw refused;
    }
    const end = running.add(EVERYBODY, `of ${organizationId}`);
    try {
      return await work();
    } finally {
      end();
    }
  };
};
