import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type Context } from '../../domain/evaluation/context.js';
import { decodeBody, requireUtf8 } from '../edge/accept-json.js';
import { parseJsonBody } from '../json-body.js';
import { OfrepFailure } from './failure.js';

/** As for the plain routes. Characters. */
const LONGEST_KEY = 4_096;

/** Bodies stay text until something has to be evaluated: the same text gets the same answer. */
export const acceptText = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, sent: Buffer) => {
      const { headers } = request;
      const body =
        headers['content-encoding'] === undefined ? sent : await decodeBody(request, sent);
      requireUtf8(headers['content-type'], body);
      return body.toString();
    },
  );
};

export const bodyText = ({ body }: FastifyRequest): string =>
  typeof body === 'string' ? body : '';

type Members = Readonly<Record<string, unknown>>;

const NOTHING: Members = {};

const objectOr = (value: unknown, what: string): Members => {
  if (value === undefined || value === null) return NOTHING;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Members;
  throw new OfrepFailure(400, 'INVALID_CONTEXT', `${what} must be an object.`);
};

const targetingKeyIn = ({ targetingKey }: Members): string | undefined => {
  if (targetingKey === undefined || targetingKey === null) return undefined;
  if (typeof targetingKey === 'string' && targetingKey.length <= LONGEST_KEY) return targetingKey;
  throw new OfrepFailure(
    400,
    'INVALID_CONTEXT',
    `The targetingKey must be a string of at most ${LONGEST_KEY} characters.`,
  );
};

/**
 * The context in a body. No body, no context and `null` are the empty context: clients send these when an
 * application sets none. @throws OfrepFailure, DomainError `invalid-json`, `inexact-number`
 */
export const contextIn = (text: string): Context => {
  const body = objectOr(text === '' ? undefined : parseJsonBody(text, 'whole'), 'The body');
  const attributes = objectOr(body['context'], 'The context');
  return { targetingKey: targetingKeyIn(attributes), attributes, nowMs: Date.now() };
};
