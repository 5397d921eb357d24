import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';

/** How often the lag is measured. Milliseconds. */
const EVERY_MS = 50;

/** How many measurements in a row count. */
const KEPT = 4;

/**
 * How late this process's event loop is, in milliseconds: the least of the last few measurements, so that one long
 * turn is no overload but a queue that does not drain is. (Nichols and Jacobson, "Controlling Queue Delay", 2012.)
 */
const eventLoopLag = () => {
  const measured: number[] = [];
  let dueAt = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    measured.push(Math.max(now - dueAt, 0));
    if (measured.length > KEPT) measured.shift();
    dueAt = now + EVERY_MS;
  }, EVERY_MS);
  timer.unref();
  return {
    lagMs: (): number => (measured.length < KEPT ? 0 : Math.min(...measured)),
    stop: (): void => {
      clearInterval(timer);
    },
  };
};

/** From which lag of the event loop on requests are refused. Milliseconds. */
export type ShedFrom = Readonly<{ queries: number; commands: number; evaluation: number }>;

const SHED_FROM: ShedFrom = { queries: 200, commands: 500, evaluation: 2_000 };

/** So that those who come again find what was waiting done. Seconds. */
const RETRY_AFTER = '2';

const READS = new Set(['GET', 'HEAD']);

/** The lag from which on a request is refused; what operators look at never is. */
const limitFor = ({ access, method }: FastifyRequest, from: ShedFrom): number => {
  if (access === 'evaluation' || access === 'bulk-evaluation') return from.evaluation;
  if (access !== undefined) return Infinity;
  return READS.has(method) ? from.queries : from.commands;
};

/**
 * Refuses what can wait while the event loop is late: queries first, then commands, evaluation last. Comes before the
 * guard: a refusal has to cost next to nothing.
 */
export const shedLoad = (app: FastifyInstance, from: ShedFrom = SHED_FROM): void => {
  const loop = eventLoopLag();
  app.addHook('onClose', (_, done) => {
    loop.stop();
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    const lagMs = loop.lagMs();
    if (lagMs < from.queries || lagMs < limitFor(request, from)) {
      done();
      return;
    }
    void reply.header('retry-after', RETRY_AFTER);
    done(new DomainError('overloaded', 'The service is overloaded; nothing was done.'));
  });
};
