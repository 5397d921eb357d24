import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type ApplicationKey } from '../../domain/api-key.js';
import { DomainError } from '../../domain/decider.js';
import { type Context } from '../../domain/evaluation/context.js';
import { type EnvironmentAt } from '../../queries/evaluation/answers.js';
import { type RulesetMemory } from '../../queries/evaluation/ruleset-memory.js';
import { decodeBody, parseJsonBody, requireUtf8 } from '../http/json-body.js';
import { OfrepFailure } from './failure.js';

/** @throws DomainError `forbidden`: an admin credential does not say which environment is meant */
export const keyOf = ({ applicationKey }: FastifyRequest): ApplicationKey => {
  if (applicationKey !== undefined) return applicationKey;
  throw new DomainError(
    'forbidden',
    'Send an application key: it says which environment is meant.',
  );
};

/** @throws DomainError `rulesets-unavailable`; OfrepFailure when the environment was deleted */
export const locate = (memory: RulesetMemory, { environmentId }: ApplicationKey): EnvironmentAt => {
  const rulesets = memory.current();
  if (rulesets === undefined)
    throw new DomainError('rulesets-unavailable', 'No rulesets have been loaded yet.');
  const environment = rulesets.environments.get(environmentId);
  if (environment !== undefined) return { environment, position: rulesets.position };
  throw new OfrepFailure(404, 'GENERAL', 'The environment of this key does not exist.');
};

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
