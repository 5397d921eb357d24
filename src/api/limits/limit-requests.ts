import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { tallies } from '../ofrep/event-streams.js';
import { type Ask, type Budget, localBuckets, sharedBuckets, type TakeShared } from './buckets.js';
import { clientNetwork, refusalOf, tellBudget } from './refusal.js';

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
      return new DomainError('rate-limited', `Too many ${what} of your organization are running.`);
    if (running.of(EVERYBODY) >= perProcess)
      return new DomainError('overloaded', `Too many ${what} are running.`);
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

/** What is limited, and for whom. */
export type Budgets = Readonly<{
  /** Routes with `config.budget: 'login'`; per address. */
  login?: Budget | undefined;
  /** Passwords tried for one account; per network. */
  account?: Budget | undefined;
  /** Per credential. */
  commands?: Budget | undefined;
  /** For all credentials of an organization together. */
  tenantCommands?: Budget | undefined;
  /** Per credential. */
  queries?: Budget | undefined;
  /** For all credentials of an organization together. */
  tenantQueries?: Budget | undefined;
  /** Routes for everybody, and paths that there are not; per address, and per process. */
  public?: Budget | undefined;
  /** Per server key or credential, and per process. */
  evaluation?: Budget | undefined;
  /** Per client key, which everybody can read in a web page, and per process. */
  clientEvaluation?: Budget | undefined;
  /** Requests whose credential was refused; per address. */
  refusals?: Budget | undefined;
}>;

/** An absent budget is no limit. */
export type Limits = Readonly<{ budgets: Budgets; takeShared: TakeShared }>;

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
