import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { type FastifyInstance, type FastifyRequest, type RouteOptions } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { parseJsonBody } from '../json-body.js';

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;

/** @throws DomainError for bytes or a charset that are not UTF-8 */
export const requireUtf8 = (contentType: string | undefined, body: Buffer): void => {
  const charset = CHARSET.exec(contentType ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new DomainError(
      'unsupported-media-type',
      `JSON is UTF-8; send it so, not as ${charset}.`,
    );
  if (!isUtf8(body)) throw new DomainError('invalid-json', 'It is not UTF-8.');
};

const DECODERS: Readonly<
  Record<string, (body: Buffer, limits: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  br: promisify(brotliDecompress),
  deflate: promisify(inflate),
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
};

const isTooLarge = (error: unknown): boolean =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/**
 * A request's body without its Content-Encoding; it may have as many bytes as one that was sent plain.
 * @throws DomainError `unsupported-media-type`, `body-too-large`, `invalid-json`
 */
export const decodeBody = async (
  { headers, routeOptions: { bodyLimit } }: FastifyRequest,
  body: Buffer,
): Promise<Buffer> => {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity') return body;
  const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decode === undefined)
    throw new DomainError(
      'unsupported-media-type',
      `Send the body plain or as gzip, deflate or br, not as ${coding}.`,
    );
  try {
    return await decode(body, { maxOutputLength: bodyLimit });
  } catch (error) {
    if (isTooLarge(error))
      throw new DomainError('body-too-large', `Decompressed, it has more than ${bodyLimit} bytes.`);
    throw new DomainError(
      'invalid-json',
      `The body is not ${coding}, as its Content-Encoding says.`,
    );
  }
};

const isNothing = (body: unknown): boolean =>
  body === undefined ||
  (typeof body === 'object' && body !== null && Object.keys(body).length === 0);

const refuseBody = async ({ body }: FastifyRequest): Promise<void> => {
  if (isNothing(body)) return;
  throw new DomainError('invalid-request', 'This request takes no body; leave it out.');
};

const BODILESS = new Set(['GET', 'HEAD', 'TRACE']);

const mayCarryBody = ({ method }: RouteOptions): boolean =>
  [method].flat().some((one) => !BODILESS.has(one));

/** JSON in UTF-8 is the only kind of body; a route without a schema for one takes none. */
export const acceptJson = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, sent: Buffer) => {
      const { headers, access } = request;
      const body =
        headers['content-encoding'] === undefined ? sent : await decodeBody(request, sent);
      requireUtf8(headers['content-type'], body);
      if (body.length === 0) return undefined;
      const isContext = access === 'evaluation' || access === 'bulk-evaluation';
      return parseJsonBody(body.toString(), isContext ? 'whole' : 'all');
    },
  );
  app.addHook('onRoute', (route) => {
    if (route.schema?.body !== undefined || !mayCarryBody(route)) return;
    route.preValidation = [route.preValidation ?? [], refuseBody].flat();
  });
};
