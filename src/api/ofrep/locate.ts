import { type FastifyRequest } from 'fastify';
import { DomainError } from '../../domain/decider.js';
import { type ApplicationKey } from '../../domain/organization/application-key.js';
import { type EnvironmentAt } from '../../queries/rulesets/evaluation-answers.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
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
