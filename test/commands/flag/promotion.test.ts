import { test } from 'tap';
import { promoteEnvironment } from '../../../src/commands/environments/promote.js';
import { type OnConflict } from '../../../src/commands/environments/merging.js';
import { OWNER_GRANTS } from '../../../src/domain/access/grants.js';
import {
  absentFlag,
  configurationOf,
  evolveFlag,
  type Flag,
} from '../../../src/domain/flag/flag.js';
import { ENVIRONMENT, PROJECT_ID } from '../../support/flags.js';
import { conflictsOf } from '../../support/importing-project.js';
import { inMemoryEventStore } from '../../support/in-memory-event-store.js';
import { metadata } from '../../support/metadata.js';
import { processOn } from '../../support/write-sides.js';

let promotions = 0;

/** Two flags that are promoted from staging to production. */
const started = async () => {
  const run = processOn(inMemoryEventStore());
  await run.createProject();
  await run.createFlag('f');
  await run.createFlag('g');
  const { flagHistory, flags } = run.side;
  const toPromote = promoteEnvironment({ handle: flags, flagHistory });
  const promote = (onConflict: OnConflict = 'fail', dryRun = false) =>
    toPromote({
      projectId: PROJECT_ID,
      from: 'staging',
      to: ENVIRONMENT,
      flags: ['f', 'g'],
      onConflict,
      metadata: metadata(`promotion-${(promotions += 1)}`),
      grants: OWNER_GRANTS,
      dryRun,
      signal: AbortSignal.timeout(60_000),
    });
  const production = async (flagKey: string) => {
    const flag = (await flagHistory(PROJECT_ID, flagKey)).reduce<Flag>(evolveFlag, absentFlag);
    return flag.status === 'absent' ? undefined : configurationOf(flag, ENVIRONMENT);
  };
  const serve = (environment: string, variant: string | null) =>
    run.flag({
      type: 'ChangeRollout',
      data: { projectId: PROJECT_ID, flagKey: 'f', environment, fallthrough: { variant } },
    });
  const enable = (environment: string, flagKey = 'f') =>
    run.flag({ type: 'EnableFlag', data: { projectId: PROJECT_ID, flagKey, environment } });
  return { promote, production, serve, enable };
};

test('what is in one environment is promoted to another, once', async (t) => {
  const { promote, production, serve, enable } = await started();
  await enable('staging');
  await serve('staging', 'off');
  t.match(await promote('fail', true), [{ result: 'changed' }, { result: 'unchanged' }]);
  t.match(await production('f'), { enabled: false });
  t.match(await promote(), [{ flag: 'f', result: 'changed' }, { result: 'unchanged' }]);
  t.match(await production('f'), { enabled: true, fallthrough: { variant: 'off' } });
  t.match(await promote(), [{ result: 'unchanged' }, { result: 'unchanged' }]);
});

test('what was changed there since is kept, also while other things are promoted', async (t) => {
  const { promote, production, serve, enable } = await started();
  await serve('staging', 'off');
  await promote();
  await serve(ENVIRONMENT, null);
  const kept = ['/environments/production/fallthrough'];
  t.match(await promote(), [{ result: 'unchanged', kept }, {}]);
  await enable('staging');
  t.match(await promote(), [{ result: 'changed', kept }, {}]);
  t.match(await promote(), [{ result: 'unchanged', kept }, {}]);
  t.match(await production('f'), { enabled: true, fallthrough: { variant: null } });
});

test('what both changed is a conflict', async (t) => {
  const bothChanged = async () => {
    const all = await started();
    await all.serve('staging', 'off');
    await all.serve(ENVIRONMENT, null);
    await all.enable('staging', 'g');
    return all;
  };
  const { promote, production } = await bothChanged();
  t.match(await conflictsOf(promote()), [
    {
      flag: 'f',
      field: '/environments/production/fallthrough',
      theirs: { variant: null },
      mine: { variant: 'off' },
      changedBy: { id: /./ },
      revision: 2,
    },
  ]);
  t.match(await production('g'), { enabled: false }, 'nothing is written');
  t.match(await promote('skip'), [{ result: 'skipped' }, { result: 'changed' }]);
  t.match(await promote('theirs'), [{ result: 'unchanged', conflicts: [{}] }, {}]);
  t.match(await promote('mine'), [{ result: 'changed' }, {}]);
  t.match(await production('f'), { fallthrough: { variant: 'off' } });
});
