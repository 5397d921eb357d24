import { type FastifyReply } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { addressOf } from '../../domain/targeting/network.js';
import { type Taken } from './buckets.js';

/** The client behind an address: the address itself, for IPv6 its /64, which one client usually has. */
export const clientNetwork = (ip: string): string => {
  const address = addressOf(ip);
  if (address === undefined || address.isV4) return ip.replace(/^::ffff:/i, '');
  const [first, second] = address.words;
  return `${(first >>> 0).toString(16)}-${(second >>> 0).toString(16)}`;
};

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** `RateLimit-*` as widely read: how many at once, how many now, seconds until all are there again. */
export const tellBudget = (reply: FastifyReply, { budget, remaining, fullMs }: Taken): void => {
  void reply
    .header('ratelimit-limit', budget.burst)
    .header('ratelimit-remaining', remaining)
    .header('ratelimit-reset', wholeSeconds(fullMs));
};

/** The error to answer 429 with; also sets its headers. `what` were too many. */
export const refusalOf = (reply: FastifyReply, taken: Taken, what: string): DomainError => {
  const seconds = Math.max(wholeSeconds(taken.waitMs), 1);
  tellBudget(reply, taken);
  void reply.header('retry-after', seconds);
  return new DomainError('rate-limited', `Too many ${what}; try again in ${seconds} s.`);
};
