import { type FastifyReply, type FastifyRequest } from 'fastify';
import { clientNetwork } from '../limits/client-network.js';
import { type Limits } from '../limits/limits.js';
import { refusalOf, tellBudget } from '../limits/refusal.js';
import { sharedBuckets } from '../limits/shared-buckets.js';

/** What tells an account apart, in a form that may be kept anywhere. */
export type AccountKey = (organizationId: string, email: string) => string;

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
