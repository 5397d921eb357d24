import { createHash } from 'node:crypto';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { sharedBuckets, type Taken } from './buckets.js';
import { type Limits } from './limit-requests.js';
import { clientNetwork, refusalOf } from './refusal.js';

/** How many addresses, and how many accepted credentials, are remembered. */
const MANY = 10_000;

const WHAT = 'refused credentials from this address';

const digestOf = (credential: string): string =>
  createHash('sha256').update(credential).digest('base64');

/** Makes room for one more by forgetting the oldest. */
const makeRoom = (map: Map<string, unknown> | Set<string>): void => {
  const [oldest] = map.keys();
  if (map.size >= MANY && oldest !== undefined) map.delete(oldest);
};

/**
 * Ends guessing: an address with too many refused credentials is not listened to for a while. A credential that this
 * process accepted before goes on working there, so that nobody locks out others behind the same address.
 */
export const guessLimit = ({ budgets: { refusals }, takeShared }: Limits) => {
  const take = sharedBuckets(takeShared);
  const accepted = new Set<string>();
  const blocked = new Map<string, Readonly<{ taken: Taken; atMs: number }>>();

  const block = (address: string, taken: Taken): void => {
    makeRoom(blocked);
    blocked.set(address, { taken, atMs: performance.now() });
  };

  /** What was taken when it was blocked, brought to now; undefined when that is over. */
  const blockOf = (address: string): Taken | undefined => {
    const found = blocked.get(address);
    if (found === undefined) return undefined;
    const passedMs = performance.now() - found.atMs;
    const { waitMs, fullMs } = found.taken;
    if (passedMs < waitMs)
      return { ...found.taken, waitMs: waitMs - passedMs, fullMs: fullMs - passedMs };
    blocked.delete(address);
    return undefined;
  };

  return {
    /** The error that ends a request before its credential is looked at; undefined when it may go on. */
    refusal: (
      request: FastifyRequest,
      reply: FastifyReply,
      credential: string | undefined,
    ): Error | undefined => {
      if (blocked.size === 0) return undefined;
      const taken = blockOf(clientNetwork(request.ip));
      if (taken === undefined) return undefined;
      const isKnown = credential !== undefined && accepted.has(digestOf(credential));
      return isKnown ? undefined : refusalOf(reply, taken, WHAT);
    },

    accept: (credential: string | undefined): void => {
      if (refusals === undefined || credential === undefined) return;
      const digest = digestOf(credential);
      if (accepted.has(digest)) return;
      makeRoom(accepted);
      accepted.add(digest);
    },

    /** Counts a refused credential. The error to answer instead of the refusal, when there were too many. */
    refuse: async (request: FastifyRequest, reply: FastifyReply): Promise<Error | undefined> => {
      if (refusals === undefined) return undefined;
      const address = clientNetwork(request.ip);
      const taken = await take([{ key: `refusals:${address}`, budget: refusals }]);
      if (taken === undefined || taken.isAllowed) return undefined;
      block(address, taken);
      return refusalOf(reply, taken, WHAT);
    },
  };
};

export type GuessLimit = ReturnType<typeof guessLimit>;
