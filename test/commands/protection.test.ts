import { test } from 'tap';
import { type FlagCommand } from '../../src/commands/flag/decider.js';
import { type Grants } from '../../src/domain/access/grants.js';
import { ENVIRONMENT, PROJECT_ID } from '../support/flags.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { outcomeOf, processOn } from '../support/write-sides.js';

const editor: Grants = { role: 'editor', projects: {} };
const admin: Grants = { role: 'none', projects: { web: 'admin' } };

const flagKey = 'checkout';
const here = { projectId: PROJECT_ID, flagKey };
const inProduction = { ...here, environment: ENVIRONMENT };
const inStaging = { ...here, environment: 'staging' };

/** A project whose production is protected, with a flag that is on and one that is off there. */
const started = async () => {
  const run = processOn(inMemoryEventStore());
  await run.createProject(true);
  await run.createFlag(flagKey);
  await run.createFlag('asleep');
  await run.flag({ type: 'EnableFlag', data: { ...inStaging, flagKey: 'asleep' } });
  await run.flag({ type: 'EnableFlag', data: inProduction });
  const { revision } = await run.flag({ type: 'EnableFlag', data: inStaging });
  const snapshot = await run.side.snapshotOf(PROJECT_ID, flagKey, { revision: revision - 2 });
  const now = await run.side.snapshotOf(PROJECT_ID, flagKey, {});
  return { run, snapshot, now };
};

type Commands = Readonly<Record<string, FlagCommand>>;

test('an editor changes nothing that a protected environment is served', async (t) => {
  const { run, snapshot, now } = await started();
  const { status: _, ...content } = now.flag;
  const commands: Commands = {
    disable: { type: 'DisableFlag', data: inProduction },
    'off variant': { type: 'ChangeOffVariant', data: { ...inProduction, offVariant: null } },
    rollout: { type: 'ChangeRollout', data: { ...inProduction, fallthrough: { variant: 'off' } } },
    percentage: { type: 'SetRolloutPercentage', data: { ...inProduction, percentage: 3 } },
    targets: {
      type: 'AddTargets',
      data: { ...inProduction, variant: 'on', keys: ['anna'] },
    },
    prerequisites: {
      type: 'ChangePrerequisites',
      data: { ...inProduction, prerequisites: [{ flagKey: 'asleep', variants: ['on'] }] },
    },
    promote: {
      type: 'PromoteFlag',
      data: { projectId: PROJECT_ID, flagKey: 'asleep', from: 'staging', to: ENVIRONMENT },
    },
    archive: { type: 'ArchiveFlag', data: here },
    delete: { type: 'DeleteFlag', data: here },
    'delete what is off': { type: 'DeleteFlag', data: { ...here, flagKey: 'asleep' } },
    revert: { type: 'RevertFlag', data: { ...here, snapshot } },
    'revert there': { type: 'RevertFlag', data: { ...inProduction, snapshot } },
    copy: {
      type: 'CopyFlag',
      data: { ...here, flagKey: 'twin', source: { content, revision: now.revision } },
    },
    metadata: { type: 'ChangeFlagDetails', data: { ...here, metadata: { team: 'pay' } } },
    variants: {
      type: 'ChangeVariants',
      data: {
        ...here,
        variants: [
          { name: 'on', value: true },
          { name: 'off', value: true },
        ],
      },
    },
  };
  for (const [what, command] of Object.entries(commands))
    for (const dryRun of [true, false])
      t.equal(
        await outcomeOf(run.flag(command, { grants: editor, dryRun })),
        'environment-protected',
        `${what}${dryRun ? ', dry' : ''}`,
      );
  for (const [what, command] of Object.entries(commands))
    t.equal(
      await outcomeOf(run.flag(command, { grants: admin, dryRun: true })),
      'dry-run',
      `an admin of the project: ${what}`,
    );
});

test('an editor changes all else', async (t) => {
  const { run } = await started();
  const asleep = { projectId: PROJECT_ID, flagKey: 'asleep' };
  const commands: Commands = {
    'another environment': { type: 'DisableFlag', data: inStaging },
    details: { type: 'ChangeFlagDetails', data: { ...here, name: 'New', tags: ['x'] } },
    'a variant more': {
      type: 'ChangeVariants',
      data: {
        ...here,
        variants: [
          { name: 'on', value: true, description: 'On' },
          { name: 'off', value: false },
          { name: 'other', value: true },
        ],
      },
    },
    'a flag that is off': {
      type: 'CreateFlag',
      data: { projectId: PROJECT_ID, flagKey: 'new', type: 'boolean' },
    },
    'archive what is off': { type: 'ArchiveFlag', data: asleep },
    'bring it back': { type: 'UnarchiveFlag', data: asleep },
  };
  for (const [what, command] of Object.entries(commands))
    t.equal(await outcomeOf(run.flag(command, { grants: editor })), 'recorded', what);
  const configured = { ...inProduction, flagKey: 'asleep', fallthrough: { variant: 'off' } };
  t.equal(
    await outcomeOf(run.flag({ type: 'ChangeRollout', data: configured }, { grants: editor })),
    'environment-protected',
    'but not how it would be served once it is on',
  );
});

test('an environment that is no longer protected is open, and one that was deleted is not', async (t) => {
  const { run } = await started();
  const disable: FlagCommand = { type: 'DisableFlag', data: inProduction };
  const named = { projectId: PROJECT_ID, environment: ENVIRONMENT };
  await run.project({ type: 'DeleteEnvironment', data: named });
  t.equal(
    await outcomeOf(run.flag({ type: 'DeleteFlag', data: here }, { grants: editor })),
    'environment-protected',
  );
  await run.project({ type: 'RestoreEnvironment', data: named });
  const open = { ...named, isProtected: false };
  await run.project({ type: 'ChangeEnvironmentDetails', data: open });
  t.equal(await outcomeOf(run.flag(disable, { grants: editor })), 'recorded');
});

test('who is in a segment is open until something in a protected environment depends on it', async (t) => {
  const { run } = await started();
  await run.createSegment('inner');
  await run.createSegment('outer', [{ segments: ['inner'] }]);
  await run.createSegment('free');
  const add = (segmentKey: string, more = {}) =>
    run.segment(
      {
        type: 'AddSegmentKeys',
        data: { projectId: PROJECT_ID, segmentKey, included: ['anna'], excluded: [] },
      },
      { grants: editor, ...more },
    );
  t.equal(await outcomeOf(add('inner', { dryRun: true })), 'dry-run');
  await run.target(flagKey, ['outer']);
  t.equal(await outcomeOf(add('inner', { dryRun: true })), 'environment-protected');
  t.equal(await outcomeOf(add('inner')), 'environment-protected');
  t.equal(await outcomeOf(add('outer')), 'environment-protected');
  t.equal(await outcomeOf(add('free')), 'recorded');
  t.equal(await outcomeOf(add('inner', { grants: admin })), 'recorded');
  const details = { projectId: PROJECT_ID, segmentKey: 'inner', name: 'Inner circle' };
  const rename = { type: 'ChangeSegmentDetails', data: details } as const;
  t.equal(await outcomeOf(run.segment(rename, { grants: editor })), 'recorded');
});
