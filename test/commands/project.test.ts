import { test } from 'tap';
import { projectDecider } from '../../src/commands/project/project.js';
import { type ProjectEvent } from '../../src/domain/project.js';
import { given } from '../support/given.js';

const projectId = 'acme:web';
const details = { name: 'production', description: '', color: '#3B82F6', isProduction: false };

const created: ProjectEvent = {
  type: 'ProjectCreated',
  data: { organizationId: 'acme', key: 'web', name: 'web', description: '' },
};
const added: ProjectEvent = {
  type: 'EnvironmentAdded',
  data: { environment: 'production', ...details },
};
const deleted: ProjectEvent = { type: 'ProjectDeleted', data: {} };
const environmentDeleted: ProjectEvent = {
  type: 'EnvironmentDeleted',
  data: { environment: 'production' },
};
const place = { projectId, environment: 'production' };

test('a project is created with its environments in one go', async (t) => {
  const command = {
    type: 'CreateProject',
    data: {
      organizationId: 'acme',
      projectId,
      key: 'web',
      environments: [{ environment: 'production' }],
    },
  } as const;
  given(t, projectDecider, undefined)().when(command).thenRecords(created, added);
  given(t, projectDecider, undefined)(created).when(command).thenRefuses('project-exists');
  given(t, projectDecider, undefined)(created, deleted).when(command).thenRefuses('project-exists');
});

test('two environments of one key in a new project are refused', async (t) => {
  const environments = [{ environment: 'a' }, { environment: 'a' }];
  given(t, projectDecider, undefined)()
    .when({
      type: 'CreateProject',
      data: { organizationId: 'acme', projectId, key: 'web', environments },
    })
    .thenRefuses('environment-exists');
});

test('project details that are left out stay', async (t) => {
  given(
    t,
    projectDecider,
    undefined,
  )(created)
    .when({ type: 'ChangeProjectDetails', data: { projectId, name: 'Shop' } })
    .thenRecords({ type: 'ProjectDetailsChanged', data: { name: 'Shop', description: '' } });
  given(
    t,
    projectDecider,
    undefined,
  )(created)
    .when({ type: 'ChangeProjectDetails', data: { projectId, name: 'web' } })
    .thenRecords();
});

test('deleting and restoring a project record once', async (t) => {
  const remove = { type: 'DeleteProject', data: { projectId } } as const;
  const restore = { type: 'RestoreProject', data: { projectId } } as const;
  given(t, projectDecider, undefined)(created).when(remove).thenRecords(deleted);
  given(t, projectDecider, undefined)(created, deleted).when(remove).thenRecords();
  given(t, projectDecider, undefined)(created).when(restore).thenRecords();
  given(
    t,
    projectDecider,
    undefined,
  )(created, deleted)
    .when(restore)
    .thenRecords({ type: 'ProjectRestored', data: {} });
  given(t, projectDecider, undefined)().when(remove).thenRefuses('project-not-found');
  given(t, projectDecider, undefined)().when(restore).thenRefuses('project-not-found');
});

test('an environment is added once', async (t) => {
  const add = { type: 'AddEnvironment', data: place } as const;
  given(t, projectDecider, undefined)(created).when(add).thenRecords(added);
  given(t, projectDecider, undefined)(created, added).when(add).thenRefuses('environment-exists');
  given(t, projectDecider, undefined)(created, deleted).when(add).thenRefuses('project-deleted');
});

test('environment details that are left out stay', async (t) => {
  const rename = (name: string) =>
    ({ type: 'ChangeEnvironmentDetails', data: { ...place, name } }) as const;
  const history = [created, added];
  given(
    t,
    projectDecider,
    undefined,
  )(...history)
    .when(rename('Live'))
    .thenRecords({
      type: 'EnvironmentDetailsChanged',
      data: { environment: 'production', ...details, name: 'Live' },
    });
  given(
    t,
    projectDecider,
    undefined,
  )(...history)
    .when(rename('production'))
    .thenRecords();
  given(
    t,
    projectDecider,
    undefined,
  )(created)
    .when(rename('Live'))
    .thenRefuses('environment-not-found');
  given(
    t,
    projectDecider,
    undefined,
  )(...history, environmentDeleted)
    .when(rename('Live'))
    .thenRefuses('environment-deleted');
});

test('an environment gets origins of its own, and loses them', async (t) => {
  const allow = (allowedOrigins: readonly string[] | null) =>
    ({ type: 'ChangeEnvironmentDetails', data: { ...place, allowedOrigins } }) as const;
  const changed = (allowedOrigins: readonly string[] | null) =>
    ({
      type: 'EnvironmentDetailsChanged',
      data: { environment: 'production', ...details, allowedOrigins },
    }) as const;
  const origins = ['https://shop.example.com'];
  const when = (...history: readonly ProjectEvent[]) =>
    given(t, projectDecider, undefined)(...history);
  when(created, added).when(allow(null)).thenRecords();
  when(created, added).when(allow(origins)).thenRecords(changed(origins));
  when(created, added, changed(origins)).when(allow(origins)).thenRecords();
  when(created, added, changed(origins)).when(allow(null)).thenRecords(changed(null));
});

test('deleting and restoring an environment record once', async (t) => {
  const remove = { type: 'DeleteEnvironment', data: place } as const;
  const restore = { type: 'RestoreEnvironment', data: place } as const;
  const history = [created, added];
  given(
    t,
    projectDecider,
    undefined,
  )(...history)
    .when(remove)
    .thenRecords(environmentDeleted);
  given(
    t,
    projectDecider,
    undefined,
  )(...history, environmentDeleted)
    .when(remove)
    .thenRecords();
  given(
    t,
    projectDecider,
    undefined,
  )(...history)
    .when(restore)
    .thenRecords();
  given(
    t,
    projectDecider,
    undefined,
  )(...history, environmentDeleted)
    .when(restore)
    .thenRecords({ type: 'EnvironmentRestored', data: { environment: 'production' } });
  given(t, projectDecider, undefined)(created).when(remove).thenRefuses('environment-not-found');
});
