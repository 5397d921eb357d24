import { type Environment, type ExistingProject, findEnvironment } from '../project.js';
import { type Change, valueChange } from './change.js';

const statusText = (status: Environment['status']): string =>
  status === 'deleted' ? 'deleted' : 'restored';

const kindText = (isProduction: boolean): string =>
  isProduction ? 'now a production environment' : 'no longer a production environment';

const protectionText = (isProtected: boolean): string =>
  isProtected ? 'now protected' : 'no longer protected';

const added = ({ key, name, isProduction, isProtected = false }: Environment): Change => ({
  path: `/environments/${key}`,
  after: name,
  text: `environment "${key}" added${isProduction ? ', as a production environment' : ''}${isProtected ? ', protected' : ''}`,
});

const flagged = (path: string, before: string | boolean, after: string | boolean, text: string) =>
  before === after ? [] : [{ path, before, after, text }];

const originsText = ({ allowedOrigins }: Environment): string =>
  allowedOrigins?.join(', ') ?? 'as in the whole installation';

const differences = (before: Environment, after: Environment): readonly Change[] => {
  const path = `/environments/${after.key}`;
  const label = (what: string) => `${after.key}: ${what}`;
  return [
    ...flagged(`${path}/status`, before.status, after.status, label(statusText(after.status))),
    ...valueChange(`${path}/name`, label('name'), before.name, after.name),
    ...valueChange(
      `${path}/description`,
      label('description'),
      before.description,
      after.description,
    ),
    ...valueChange(`${path}/color`, label('color'), before.color, after.color),
    ...flagged(
      `${path}/isProduction`,
      before.isProduction,
      after.isProduction,
      label(kindText(after.isProduction)),
    ),
    ...flagged(
      `${path}/isProtected`,
      before.isProtected ?? false,
      after.isProtected ?? false,
      label(protectionText(after.isProtected ?? false)),
    ),
    ...valueChange(
      `${path}/allowedOrigins`,
      label('allowed origins'),
      originsText(before),
      originsText(after),
    ),
  ];
};

const removed = ({ key, name }: Environment): Change => ({
  path: `/environments/${key}`,
  before: name,
  text: `environment "${key}" not there`,
});

/** What changed in a project's environments. */
export const environmentChanges = (
  before: ExistingProject,
  after: ExistingProject,
): readonly Change[] => [
  ...before.environments
    .filter(({ key }) => findEnvironment(after, key) === undefined)
    .map(removed),
  ...after.environments.flatMap((environment) => {
    const old = findEnvironment(before, environment.key);
    return old === undefined ? [added(environment)] : differences(old, environment);
  }),
];
