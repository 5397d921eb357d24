import { test } from 'tap';
import { operationIdOf } from '../../src/api/http/documentation.js';

const NAMES = [
  ['POST', '/api/v1/projects', 'postProjects'],
  ['GET', '/api/v1/projects/:project', 'getProject'],
  ['PUT', '/api/v1/projects/:project/flags/:flag/variants', 'putProjectFlagVariants'],
  [
    'PUT',
    '/api/v1/projects/:project/flags/:flag/environments/:environment/off-variant',
    'putProjectFlagEnvironmentOffVariant',
  ],
  [
    'GET',
    '/api/v1/projects/:project/environments/:environment/evaluate/:flag',
    'getProjectEnvironmentEvaluateFlag',
  ],
  ['GET', '/health', 'getHealth'],
] as const;

test('an operation is named by its method and its path', async (t) => {
  t.plan(NAMES.length);
  for (const [method, url, name] of NAMES) t.equal(operationIdOf(method, url), name);
});
