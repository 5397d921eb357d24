import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onSendHookHandler,
} from 'fastify';

/** Compressing less takes as long as evaluating it, and saves a packet or two. Characters. */
const SMALLEST = 8_192;

/** Fast rather than small: higher levels save a tenth of the bytes for three times the work. */
const GZIP = { level: 3 };
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } };

type Coding = 'br' | 'gzip';

const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)];

const ENCODERS = {
  br: (text: string | Buffer) => brotli(text, BROTLI),
  gzip: (text: string | Buffer) => zip(text, GZIP),
} as const;

const STREAMS = {
  br: () => createBrotliCompress(BROTLI),
  gzip: () => createGzip(GZIP),
} as const;

/** `gzip;q=0.5` is gzip at 0.5. */
const ITEM = /^\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([\d.]+)\s*)?$/i;

const qualitiesIn = (header: string): ReadonlyMap<string, number> =>
  new Map(
    header.split(',').map((item) => {
      const [, name = '', quality = '1'] = ITEM.exec(item) ?? [];
      return [name.toLowerCase(), Number(quality)];
    }),
  );

const preferred = (header: string): Coding | undefined => {
  const qualities = qualitiesIn(header);
  const qualityOf = (coding: string): number => qualities.get(coding) ?? qualities.get('*') ?? 0;
  const [br, zipped] = [qualityOf('br'), qualityOf('gzip')];
  if (br === 0 && zipped === 0) return undefined;
  return br >= zipped ? 'br' : 'gzip';
};

/** Clients send a handful of different headers. */
const MANY = 100;
const known = new Map<string, Coding | undefined>();

/** What an Accept-Encoding asks for; undefined: the answer as it is. RFC 9110, 12.5.3. */
const codingFor = ({ headers }: FastifyRequest): Coding | undefined => {
  const header = headers['accept-encoding'];
  if (typeof header !== 'string') return undefined;
  if (known.has(header)) return known.get(header);
  const coding = preferred(header);
  if (known.size < MANY) known.set(header, coding);
  return coding;
};

/** Caches keep the forms of an answer apart; the tag is weak, because it names them all. RFC 9110, 8.8.3.3. */
const describe = (reply: FastifyReply, coding: Coding | undefined): void => {
  const vary = reply.getHeader('vary');
  void reply.header(
    'vary',
    vary === undefined ? 'Accept-Encoding' : `${String(vary)}, Accept-Encoding`,
  );
  if (coding === undefined) return;
  void reply.header('content-encoding', coding).removeHeader('content-length');
  const tag = reply.getHeader('etag');
  if (typeof tag === 'string' && !tag.startsWith('W/')) void reply.header('etag', `W/${tag}`);
};

const compressed = new WeakMap<object, Partial<Record<Coding, Promise<Buffer>>>>();

/** `kept`: what the text belongs to; while that is kept, so is what was made of it. */
const encode = (text: string, coding: Coding, kept: object | undefined): Promise<Buffer> => {
  if (kept === undefined) return ENCODERS[coding](text);
  const forms = compressed.get(kept) ?? {};
  compressed.set(kept, forms);
  return (forms[coding] ??= ENCODERS[coding](text));
};

let waiting: [FastifyReply, string | undefined][] = [];

const sendOne = ([reply, text]: (typeof waiting)[number]): void => {
  try {
    void reply.send(text);
  } catch (error) {
    // Nobody above would catch it: it must cost neither the others of the turn nor the process.
    reply.log.error(error, 'an answer could not be sent');
    reply.raw.destroy();
  }
};

const sendWaiting = (): void => {
  const answers = waiting;
  waiting = [];
  answers.forEach(sendOne);
};

/**
 * Sends an answer at the end of this turn of the event loop, right after the others of the turn. Writing to a socket
 * between two evaluations costs more than both: written one after another, an answer takes half the CPU.
 */
export const sendTogether = (reply: FastifyReply, text?: string): void => {
  if (waiting.length === 0) setImmediate(sendWaiting);
  waiting.push([reply, text]);
};

/** Sends JSON text, compressed when it is large and the client takes that. `kept` as of `encode`. */
export const sendText = (reply: FastifyReply, text: string, kept?: object): void => {
  void reply.header('content-type', 'application/json; charset=utf-8');
  if (text.length < SMALLEST) {
    sendTogether(reply, text);
    return;
  }
  const coding = codingFor(reply.request);
  describe(reply, coding);
  if (coding === undefined) {
    sendTogether(reply, text);
    return;
  }
  encode(text, coding, kept).then(
    (form) => reply.send(form),
    (error: unknown) => reply.send(error),
  );
};

const COMPRESSIBLE =
  /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]+\+)?(?:json|x-ndjson|javascript|xml)|image\/svg)/;

const isText = (payload: unknown): payload is string | Buffer =>
  typeof payload === 'string' || Buffer.isBuffer(payload);

/** To HEAD the body is gone already, and its length is in the headers. */
const isLarge = (payload: unknown, reply: FastifyReply): boolean => {
  if (isText(payload) && payload.length > 0) return payload.length >= SMALLEST;
  return payload instanceof Readable || Number(reply.getHeader('content-length')) >= SMALLEST;
};

const isCompressible = (reply: FastifyReply, payload: unknown): boolean =>
  isLarge(payload, reply) &&
  !reply.hasHeader('content-encoding') &&
  COMPRESSIBLE.test(String(reply.getHeader('content-type')));

const compressAnswer: onSendHookHandler = (request, reply, payload, done): void => {
  if (!isCompressible(reply, payload)) {
    done(null, payload);
    return;
  }
  const coding = request.method === 'HEAD' ? undefined : codingFor(request);
  describe(reply, coding);
  if (coding === undefined) done(null, payload);
  else if (payload instanceof Readable) {
    // An error of the source destroys the stream, and that the connection.
    done(
      null,
      pipeline(payload, STREAMS[coding](), () => undefined),
    );
  } else {
    ENCODERS[coding](payload as string | Buffer).then(
      (form) => {
        done(null, form);
      },
      (error: unknown) => {
        done(error as Error);
      },
    );
  }
};

/** Compresses large answers of all routes but evaluations, which see to it themselves with `sendText`. */
export const compressAnswers = (app: FastifyInstance): void => {
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === 'evaluation' || access === 'bulk-evaluation') return;
    route.onSend = [route.onSend ?? [], compressAnswer].flat();
  });
};

/** Tags of `If-None-Match`, compared weakly: RFC 9110, 13.1.2. */
const names = (header: string, tag: string): boolean =>
  header.trim() === '*' ||
  header.split(',').some((item) => item.trim().replace(/^W\//, '') === tag.replace(/^W\//, ''));

const notModified: onSendHookHandler = (request, reply, payload, done): void => {
  const asked = request.headers['if-none-match'];
  const tag = reply.getHeader('etag');
  const isSame =
    typeof asked === 'string' &&
    typeof tag === 'string' &&
    reply.statusCode === 200 &&
    names(asked, tag);
  if (!isSame) {
    done(null, payload);
    return;
  }
  void reply.code(304).removeHeader('content-type').removeHeader('content-length');
  done(null, null);
};

/** Answers of queries that the client has already, by their ETag, are 304 without a body. */
export const answerNotModified = (app: FastifyInstance): void => {
  app.addHook('onRoute', (route) => {
    const isQuery = route.method === 'GET' && route.config?.access === undefined;
    if (isQuery && route.url.startsWith('/api/v1/'))
      route.onSend = [notModified, ...[route.onSend ?? []].flat()];
  });
};
