import { type FastifyInstance, type FastifyPluginAsync, type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { type ApplicationKey } from '../../domain/organization/application-key.js';
import { type EnvironmentAt } from '../../queries/rulesets/evaluation-answers.js';
import { ofrepItem } from '../../queries/rulesets/ofrep-answers.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import { answerBulk, bulkAnswers } from './bulk-answers.js';
import { OfrepFailure, sendFailure } from './failure.js';
import { answerUnknown } from './unknown-paths.js';
import { acceptText, bodyText, contextIn } from './request-body.js';
import { BULK_SCHEMA, type BulkQuery, SINGLE_SCHEMA } from './schemas.js';

export type OfrepDeps = Readonly<{ memory: RulesetMemory }>;

/** Bodies larger than this are no context. Bytes. */
const BODY_LIMIT = 64 * 1024;

const withoutChild = <Logger>(logger: Logger): Logger => logger;

const acceptAnything = () => () => true;

/** @throws DomainError `forbidden`: an admin credential does not say which environment is meant */
const keyOf = ({ applicationKey }: FastifyRequest): ApplicationKey => {
  if (applicationKey !== undefined) return applicationKey;
  throw new DomainError(
    'forbidden',
    'Send an application key: it says which environment is meant.',
  );
};

/** @throws DomainError `rulesets-unavailable`; OfrepFailure when the environment was deleted */
const locate = (memory: RulesetMemory, { environmentId }: ApplicationKey): EnvironmentAt => {
  const rulesets = memory.current();
  if (rulesets === undefined)
    throw new DomainError('rulesets-unavailable', 'No rulesets have been loaded yet.');
  const environment = rulesets.environments.get(environmentId);
  if (environment !== undefined) return { environment, position: rulesets.position };
  throw new OfrepFailure(404, 'GENERAL', 'The environment of this key does not exist.');
};

const evaluateOne = (app: FastifyInstance, { memory }: OfrepDeps): void => {
  app.post<{ Params: { key: string } }>(
    '/v1/evaluate/flags/:key',
    {
      config: { access: 'evaluation' },
      bodyLimit: BODY_LIMIT,
      childLoggerFactory: withoutChild,
      schema: SINGLE_SCHEMA,
      validatorCompiler: acceptAnything,
    },
    (request, reply) => {
      const { key } = request.params;
      const { environment, position } = locate(memory, keyOf(request));
      const item = ofrepItem(environment, key, contextIn(bodyText(request)));
      if (item === undefined)
        throw new OfrepFailure(404, 'FLAG_NOT_FOUND', `There is no flag '${key}'.`);
      void reply
        .code(item.isFaulty ? 400 : 200)
        .header('content-type', 'application/json; charset=utf-8')
        .header('x-position', position)
        .send(item.text);
    },
  );
};

const evaluateAll = (app: FastifyInstance, { memory }: OfrepDeps): void => {
  const answers = bulkAnswers();
  const base = {
    config: { access: 'bulk-evaluation' },
    bodyLimit: BODY_LIMIT,
    childLoggerFactory: withoutChild,
    validatorCompiler: acceptAnything,
  } as const;
  for (const [path, schema] of [
    ['/v1/evaluate/flags', BULK_SCHEMA],
    ['/v1/evaluate/flags/', { ...BULK_SCHEMA, hide: true }],
  ] as const)
    app.post<{ Querystring: BulkQuery }>(path, { ...base, schema }, (request, reply) => {
      const key = keyOf(request);
      answerBulk(reply, request, answers(locate(memory, key), bodyText(request)));
    });
};

/** The OpenFeature Remote Evaluation Protocol 0.3.0, as its clients speak it; to be registered under /ofrep. */
export const ofrepRoutes =
  (deps: OfrepDeps): FastifyPluginAsync =>
  async (app) => {
    acceptText(app);
    app.setErrorHandler(sendFailure);
    app.setNotFoundHandler(answerUnknown);
    evaluateOne(app, deps);
    evaluateAll(app, deps);
  };
