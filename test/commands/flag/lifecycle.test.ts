import { test } from 'tap';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../../src/domain/flag/flag.js';
import { flagDecider } from '../../support/deciders.js';
import {
  archived,
  content,
  created,
  deleted,
  enabled,
  flag,
  project,
} from '../../support/flags.js';
import { given } from '../../support/given.js';

const stateAfter = (...events: Parameters<typeof evolveFlag>[1][]): ExistingFlag => {
  const state = events.reduce(evolveFlag, absentFlag);
  if (state.status === 'absent') throw new Error('The flag should exist.');
  return state;
};

test('a boolean flag has the variants on and off unless told otherwise', async (t) => {
  given(t, flagDecider, project)()
    .when({ type: 'CreateFlag', data: { ...flag, type: 'boolean' } })
    .thenRecords(created);
});

test('an existing key is refused', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'CreateFlag', data: { ...flag, type: 'boolean' } })
    .thenRefuses('flag-exists');
});

test('the key of a deleted flag is refused with a pointer to restore', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created, deleted)
    .when({ type: 'CreateFlag', data: { ...flag, type: 'boolean' } })
    .thenRefuses('flag-exists-deleted');
});

test('a string flag without variants is refused', async (t) => {
  given(t, flagDecider, project)()
    .when({ type: 'CreateFlag', data: { ...flag, type: 'string' } })
    .thenRefuses('no-variants');
});

test('a value of another type than the flag is refused', async (t) => {
  given(t, flagDecider, project)()
    .when({
      type: 'CreateFlag',
      data: { ...flag, type: 'string', variants: [{ name: 'a', value: 1 }] },
    })
    .thenRefuses('variant-type-mismatch');
});

test('two variants of one name are refused', async (t) => {
  const variants = [
    { name: 'a', value: 'x' },
    { name: 'a', value: 'y' },
  ];
  given(t, flagDecider, project)()
    .when({ type: 'CreateFlag', data: { ...flag, type: 'string', variants } })
    .thenRefuses('duplicate-variant');
});

test('a default variant that does not exist is refused', async (t) => {
  given(t, flagDecider, project)()
    .when({ type: 'CreateFlag', data: { ...flag, type: 'boolean', defaultVariant: 'maybe' } })
    .thenRefuses('unknown-variant');
});

test('a flag of a project that does not exist is refused', async (t) => {
  given(t, flagDecider, { status: 'absent' })()
    .when({ type: 'CreateFlag', data: { ...flag, type: 'boolean' } })
    .thenRefuses('project-not-found');
});

test('a flag of a deleted project is refused', async (t) => {
  if (project.status === 'absent') throw new Error('The project should exist.');
  given(t, flagDecider, { ...project, status: 'deleted' })(created)
    .when({ type: 'DeleteFlag', data: flag })
    .thenRefuses('project-deleted');
});

test('archiving records once', async (t) => {
  const command = { type: 'ArchiveFlag', data: flag } as const;
  given(t, flagDecider, project)(created).when(command).thenRecords(archived);
  given(t, flagDecider, project)(created, archived).when(command).thenRecords();
});

test('unarchiving an active flag records nothing', async (t) => {
  const command = { type: 'UnarchiveFlag', data: flag } as const;
  given(t, flagDecider, project)(created).when(command).thenRecords();
  given(
    t,
    flagDecider,
    project,
  )(created, archived)
    .when(command)
    .thenRecords({ type: 'FlagUnarchived', data: {} });
});

test('deleting records once, also when archived', async (t) => {
  const command = { type: 'DeleteFlag', data: flag } as const;
  given(t, flagDecider, project)(created, archived).when(command).thenRecords(deleted);
  given(t, flagDecider, project)(created, deleted).when(command).thenRecords();
  given(t, flagDecider, project)().when(command).thenRefuses('flag-not-found');
});

test('a deleted flag is neither archived nor reverted', async (t) => {
  const snapshot = { flag: stateAfter(created), revision: 0 };
  given(
    t,
    flagDecider,
    project,
  )(created, deleted)
    .when({ type: 'ArchiveFlag', data: flag })
    .thenRefuses('flag-deleted');
  given(
    t,
    flagDecider,
    project,
  )(created, deleted)
    .when({ type: 'RevertFlag', data: { ...flag, snapshot } })
    .thenRefuses('flag-deleted');
});

test('a restore carries the complete state and where it came from', async (t) => {
  const snapshot = { flag: stateAfter(created, archived), revision: 1 };
  given(t, flagDecider, project)(created, archived, deleted)
    .when({ type: 'RestoreFlag', data: { ...flag, snapshot } })
    .thenRecords({ type: 'FlagRestored', data: { content, status: 'archived', fromRevision: 1 } });
});

test('a restore of a flag that is not deleted is refused', async (t) => {
  const snapshot = { flag: stateAfter(created), revision: 0 };
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'RestoreFlag', data: { ...flag, snapshot } })
    .thenRefuses('flag-not-deleted');
});

test('a revert to what holds already records nothing', async (t) => {
  const snapshot = { flag: stateAfter(created), revision: 0 };
  const command = { type: 'RevertFlag', data: { ...flag, snapshot } } as const;
  given(t, flagDecider, project)(created).when(command).thenRecords();
  given(
    t,
    flagDecider,
    project,
  )(created, enabled)
    .when(command)
    .thenRecords({ type: 'FlagReverted', data: { content, status: 'active', fromRevision: 0 } });
});

test('a revert of one environment leaves the rest as it is', async (t) => {
  const renamed = { name: 'New', description: '', tags: [] };
  const snapshot = { flag: stateAfter(created), revision: 0 };
  given(t, flagDecider, project)(created, enabled, { type: 'FlagDetailsChanged', data: renamed })
    .when({ type: 'RevertFlag', data: { ...flag, snapshot, environment: 'production' } })
    .thenRecords({
      type: 'FlagReverted',
      data: {
        content: { ...content, ...renamed, environments: { production: content.defaults } },
        status: 'active',
        fromRevision: 0,
      },
    });
});

test('a revert of an environment that the project does not have is refused', async (t) => {
  const snapshot = { flag: { ...content, status: 'active' }, revision: 0 } as const;
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'RevertFlag', data: { ...flag, snapshot, environment: 'nowhere' } })
    .thenRefuses('environment-not-found');
});

test('a revert of one environment to a variant that is gone is refused', async (t) => {
  const snapshot = { flag: stateAfter(created), revision: 0 };
  const [, off] = content.variants;
  given(
    t,
    flagDecider,
    project,
  )(created, {
    type: 'FlagVariantsChanged',
    data: { variants: off === undefined ? [] : [off] },
  })
    .when({ type: 'RevertFlag', data: { ...flag, snapshot, environment: 'production' } })
    .thenRefuses('unknown-variant');
});

test('a copy has its own key and salt and names its source', async (t) => {
  const source = { content: { ...content, key: 'source', salt: 'source' }, revision: 3 };
  const copiedFrom = { projectId: content.projectId, flagKey: 'source', revision: 3 };
  given(t, flagDecider, project)()
    .when({ type: 'CopyFlag', data: { ...flag, source } })
    .thenRecords({ type: 'FlagCreated', data: { ...content, copiedFrom } });
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'CopyFlag', data: { ...flag, source } })
    .thenRefuses('flag-exists');
});
