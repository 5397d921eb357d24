import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Ask, type Budget } from './budget.js';
import { clientNetwork } from './client-network.js';
import { type Budgets, type Limits } from './limits.js';
import { localBuckets } from './local-buckets.js';
import { refusalOf, tellBudget } from './refusal.js';
import { sharedBuckets } from './shared-buckets.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A budget of the route's own, before anybody is known; `none` for what operators look at. */
    budget?: 'login' | 'none';
  }
}

const isEvaluation = ({ access }: FastifyRequest): boolean =>
  access === 'evaluation' || access === 'bulk-evaluation';

/** For everybody, or not there at all; what has a budget of its own is counted elsewhere. */
const isPublic = (request: FastifyRequest): boolean =>
  (request.access === 'public' || request.is404) &&
  request.routeOptions.config.budget === undefined;

const READS = new Set(['GET', 'HEAD']);

type Wanted = readonly [key: string, budget: Budget | undefined];

const wantedBy = (request: FastifyRequest, budgets: Budgets): readonly Wanted[] => {
  const { organizationId, actor } = request.caller;
  if (request.routeOptions.config.budget === 'login')
    return [[`login:${clientNetwork(request.ip)}`, budgets.login]];
  if (organizationId === '') return [];
  if (READS.has(request.method))
    return [
      [`queries:${actor.id}`, budgets.queries],
      [`tenant-queries:${organizationId}`, budgets.tenantQueries],
    ];
  return [
    [`commands:${actor.id}`, budgets.commands],
    [`tenant-commands:${organizationId}`, budgets.tenantCommands],
  ];
};

const asksOf = (request: FastifyRequest, budgets: Budgets): readonly Ask[] =>
  wantedBy(request, budgets).flatMap(([key, budget]) =>
    budget === undefined ? [] : [{ key, budget }],
  );

/**
 * Holds everybody to their budgets; comes after the guard, which says who they are. Evaluation and what is public have
 * buckets in this process, so that they wait for nothing; everything else has them in Redis.
 */
export const limitRequests = (app: FastifyInstance, { budgets, takeShared }: Limits): void => {
  const take = sharedBuckets(takeShared);
  const evaluations = localBuckets();
  const addresses = localBuckets();

  /** The error that an evaluation ends with; undefined when it may go on. */
  const evaluationRefusal = (request: FastifyRequest, reply: FastifyReply): Error | undefined => {
    const { applicationKey: key, caller } = request;
    const budget = key?.kind === 'client' ? budgets.clientEvaluation : budgets.evaluation;
    if (budget === undefined) return undefined;
    const taken = evaluations.take(key?.keyId ?? caller.actor.id, budget);
    return taken.isAllowed ? undefined : refusalOf(reply, taken, 'evaluations with this key');
  };

  const publicRefusal = (request: FastifyRequest, reply: FastifyReply): Error | undefined => {
    if (budgets.public === undefined) return undefined;
    const taken = addresses.take(clientNetwork(request.ip), budgets.public);
    return taken.isAllowed ? undefined : refusalOf(reply, taken, 'requests from this address');
  };

  const otherRefusal = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Error | undefined> => {
    const taken = await take(asksOf(request, budgets));
    if (taken === undefined) return undefined;
    if (!taken.isAllowed) return refusalOf(reply, taken, 'requests');
    tellBudget(reply, taken);
    return undefined;
  };

  app.addHook('onRequest', (request, reply, done) => {
    if (isEvaluation(request)) done(evaluationRefusal(request, reply));
    else if (isPublic(request)) done(publicRefusal(request, reply));
    else otherRefusal(request, reply).then(done, done);
  });
};
