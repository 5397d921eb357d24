import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { isPosition, type Position, toPosition } from '../../domain/position.js';
import { requireOrigin } from '../http/browsers.js';
import { clientNetwork } from '../limits/refusal.js';
import { OfrepFailure } from './failure.js';
import { STREAM_SCHEMA, type StreamQuery } from './schemas.js';
import { type EventStreams, type Listener } from './event-streams.js';
import { type StreamTokens } from './stream-token.js';

export const STREAM_PATH = '/v1/events';

/** Open streams at most, so that many of them leave room for evaluation. */
export type StreamLimits = Readonly<{ perProcess: number; perKey: number; perAddress: number }>;

const LIMITS: StreamLimits = { perProcess: 20_000, perKey: 15_000, perAddress: 1_000 };

/** Clients come back spread over this time after a process has ended. Milliseconds. */
const RECONNECT_MS = { from: 1_000, to: 5_000 };

const HEAD = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would hold events back to fill its buffers.
  'x-accel-buffering': 'no',
  connection: 'close',
} as const;

const lastEventIdOf = ({ headers }: FastifyRequest): Position | undefined => {
  const given = headers['last-event-id'];
  return typeof given === 'string' && isPosition(given) ? toPosition(given) : undefined;
};

const open = (
  request: FastifyRequest,
  reply: FastifyReply,
  listener: Listener,
  streams: EventStreams,
): void => {
  reply.hijack();
  const { raw: response } = reply;
  // The server's limit on silent connections is for those that should be saying something.
  request.raw.socket.setTimeout(0);
  request.raw.socket.setNoDelay(true);
  response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...HEAD });
  const spread = Math.random() * (RECONNECT_MS.to - RECONNECT_MS.from);
  response.write(`retry: ${Math.round(RECONNECT_MS.from + spread)}\n\n`);
  streams.add(listener, response, lastEventIdOf(request));
};

/** The stream that tells clients when to evaluate again. Server-sent events; its credential is in the URL. */
export const eventStreamRoute = (
  app: FastifyInstance,
  {
    streams,
    tokens,
    limits: given,
  }: Readonly<{
    streams: EventStreams;
    tokens: StreamTokens;
    limits?: Partial<StreamLimits> | undefined;
  }>,
): void => {
  const limits = { ...LIMITS, ...given };
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    streams.close();
    done();
  });

  const checkRoom = ({ key: { keyId }, address }: Listener): void => {
    if (isClosing || streams.count() >= limits.perProcess)
      throw new OfrepFailure(503, 'GENERAL', 'This process has too many event streams.');
    if (streams.countOf(keyId) >= limits.perKey)
      throw new OfrepFailure(429, 'GENERAL', 'This key has too many event streams.');
    if (streams.countFrom(address) >= limits.perAddress)
      throw new OfrepFailure(429, 'GENERAL', 'This address has too many event streams.');
  };

  app.get<{ Querystring: StreamQuery }>(
    STREAM_PATH,
    { config: { access: 'public' }, schema: STREAM_SCHEMA, validatorCompiler: () => () => true },
    (request, reply) => {
      const { token } = request.query;
      const key = typeof token === 'string' ? tokens.verify(token) : undefined;
      if (key === undefined)
        throw new DomainError(
          'unauthorized',
          'Evaluate all flags again: the answer has a new URL.',
        );
      requireOrigin(request, reply, key);
      if (request.method === 'HEAD') {
        void reply.headers(HEAD).send();
        return;
      }
      const listener = { key, address: clientNetwork(request.ip) };
      checkRoom(listener);
      open(request, reply, listener, streams);
    },
  );
};
