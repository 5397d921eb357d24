import { isUtf8 } from 'node:buffer';
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
    async ({ headers, access }: FastifyRequest, body: Buffer) => {
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
