import { type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  type FastifyContextConfig,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { DomainError } from '../../domain/decider.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It may read or write a whole project or log, and has its turn among its like. */
    isHeavy?: true;
  }
  interface FastifyRequest {
    /** Ends the turn of the request; undefined when it has none. */
    endTurn: (() => void) | undefined;
  }
}

/** `slots`: requests that are worked on at once. `most`: of one organization, when no other is there. */
type Size = Readonly<{ slots: number; most: number; patienceMs: number }>;

/** Some are left for whoever comes next, also while one organization has all that it can get. */
const SIZES = {
  commands: { slots: 32, most: 24, patienceMs: 2_500 },
  // Fewer of one organization than there are connections to Postgres, whose row is in order of arrival.
  queries: { slots: 16, most: 8, patienceMs: 2_500 },
  heavy: { slots: 8, most: 4, patienceMs: 20_000 },
} as const satisfies Record<string, Size>;

type Kind = keyof typeof SIZES;

/** Whoever asked for something this long ago still counts as there. */
const RECENT_MS = 1_000;

type Tenant = {
  readonly id: string;
  running: number;
  seenMs: number;
  readonly waiting: (() => void)[];
};

export type FairShares = ReturnType<typeof fairShares>;

/**
 * Turns of organizations. Alone one gets `most` at once. As soon as several ask, all together get a quarter of the slots in
 * equal parts, so that the work of one is never behind a long row of another's. Who has the fewest running is next; among
 * equals, whose last turn ended longest ago.
 */
export const fairShares = ({ slots, most }: Pick<Size, 'slots' | 'most'>) => {
  const tenants = new Map<string, Tenant>();
  let running = 0;

  const forgetIdle = (): void => {
    const since = performance.now() - RECENT_MS;
    for (const [id, { running: own, waiting, seenMs }] of tenants)
      if (own === 0 && waiting.length === 0 && seenMs < since) tenants.delete(id);
  };
  const share = (): number =>
    tenants.size <= 1 ? most : Math.max(1, Math.floor(slots / 4 / tenants.size));

  const tenantOf = (id: string): Tenant => {
    const tenant = tenants.get(id) ?? { id, running: 0, seenMs: 0, waiting: [] };
    tenant.seenMs = performance.now();
    tenants.set(id, tenant);
    return tenant;
  };

  const next = (): Tenant | undefined => {
    const limit = share();
    let found: Tenant | undefined;
    for (const tenant of tenants.values())
      if (tenant.waiting.length > 0 && tenant.running < Math.min(limit, found?.running ?? limit))
        found = tenant;
    return found;
  };

  const dispatch = (): void => {
    for (let tenant = next(); tenant !== undefined && running < slots; tenant = next()) {
      tenant.running += 1;
      running += 1;
      tenant.waiting.shift()?.();
    }
  };

  const end = (tenant: Tenant): void => {
    tenant.running -= 1;
    running -= 1;
    tenant.seenMs = performance.now();
    // Behind all others: of those with equally many running, the first in the map is next.
    tenants.delete(tenant.id);
    tenants.set(tenant.id, tenant);
    forgetIdle();
    dispatch();
  };

  return {
    /**
     * Resolves with what ends the turn, once the organization has it; undefined when it did not come in time. The
     * returned function must be called once.
     */
    turn: (organization: string, patienceMs: number): Promise<(() => void) | undefined> => {
      forgetIdle();
      const tenant = tenantOf(organization);
      return new Promise((resolve) => {
        const begin = (): void => {
          clearTimeout(timer);
          resolve(() => {
            end(tenant);
          });
        };
        const timer = setTimeout(() => {
          tenant.waiting.splice(tenant.waiting.indexOf(begin), 1);
          resolve(undefined);
        }, patienceMs);
        tenant.waiting.push(begin);
        dispatch();
      });
    },
  };
};

const READS = new Set(['GET', 'HEAD']);

type Declared = Readonly<{ method: string | readonly string[]; config?: FastifyContextConfig }>;

/** Undefined: its requests take no turn. Evaluation, what operators look at and what is open to all never do. */
const kindOf = ({ method, config = {} }: Declared): Kind | undefined => {
  const { access, permission, isHeavy } = config;
  if (access !== undefined || permission === undefined) return undefined;
  if (isHeavy === true) return 'heavy';
  return [method].flat().every((one) => READS.has(one)) ? 'queries' : 'commands';
};

/** An answer that is made while it is sent holds its turn until then, but not longer than this for a slow client. */
const SENDING_MS = 30_000;

const endWithin = (request: FastifyRequest, answer: ServerResponse): void => {
  const end = (): void => {
    clearTimeout(late);
    request.endTurn?.();
  };
  const late = setTimeout(end, SENDING_MS);
  late.unref();
  answer.once('close', end);
};

const beginTurn =
  (shares: FairShares, { patienceMs }: Size) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const end = await shares.turn(request.caller.organizationId, patienceMs);
    if (end === undefined) {
      void reply.header('retry-after', '2');
      throw new DomainError(
        'overloaded',
        'Too many requests of your organization are under way; nothing was done. Send fewer at once.',
      );
    }
    request.endTurn = (): void => {
      request.endTurn = undefined;
      end();
    };
  };

/** Not when the client goes: its work goes on. Who takes an answer slowly holds nothing. */
const endTurn = async (
  request: FastifyRequest,
  { raw }: FastifyReply,
  payload: unknown,
): Promise<unknown> => {
  if (payload instanceof Readable && !raw.destroyed) endWithin(request, raw);
  else request.endTurn?.();
  return payload;
};

/**
 * Gives each organization its share of what a process works on at once. Comes before the routes: those that take turns
 * get hooks of their own, and all others pay nothing.
 */
export const shareFairly = (app: FastifyInstance): void => {
  const shares = {
    commands: fairShares(SIZES.commands),
    queries: fairShares(SIZES.queries),
    heavy: fairShares(SIZES.heavy),
  };
  app.decorateRequest('endTurn', undefined);
  app.addHook('onRoute', (route) => {
    const kind = kindOf(route);
    if (kind === undefined) return;
    const begin = beginTurn(shares[kind], SIZES[kind]);
    route.preValidation = [begin, ...[route.preValidation ?? []].flat()];
    route.onSend = [endTurn, ...[route.onSend ?? []].flat()];
  });
};
