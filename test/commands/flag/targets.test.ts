import { test } from 'tap';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { flagDecider } from '../../support/deciders.js';
import { created, inProduction, project } from '../../support/flags.js';
import { given } from '../../support/given.js';

const environment = 'production';

type Targets = [string, string[]][];

const data = (list: Targets) => ({
  environment,
  targets: list.map(([variant, keys]) => ({ variant, keys })),
});
const targets = (...list: Targets): FlagEvent => ({ type: 'FlagTargetsChanged', data: data(list) });
const added = (...list: Targets): FlagEvent => ({ type: 'FlagTargetsAdded', data: data(list) });
const removed = (...list: Targets): FlagEvent => ({ type: 'FlagTargetsRemoved', data: data(list) });

test('targets are kept once a key, without empty entries', async (t) => {
  const list = [
    { variant: 'on', keys: ['u1', 'u1'] },
    { variant: 'off', keys: [] },
    { variant: 'on', keys: ['u2'] },
  ];
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeTargets', data: { ...inProduction, targets: list } })
    .thenRecords(added(['on', ['u1', 'u2']]));
});

test('a key with two variants, and an unknown variant, are refused', async (t) => {
  const twice = [
    { variant: 'on', keys: ['u1'] },
    { variant: 'off', keys: ['u1'] },
  ];
  const asked = given(t, flagDecider, project)(created);
  asked
    .when({ type: 'ChangeTargets', data: { ...inProduction, targets: twice } })
    .thenRefuses('duplicate-target');
  asked
    .when({ type: 'AddTargets', data: { ...inProduction, variant: 'x', keys: ['u1'] } })
    .thenRefuses('unknown-variant');
});

test('adding a target moves the key from the variant it had', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created, targets(['on', ['u1', 'u2']]))
    .when({ type: 'AddTargets', data: { ...inProduction, variant: 'off', keys: ['u1'] } })
    .thenRecords(removed(['on', ['u1']]), added(['off', ['u1']]));
  given(
    t,
    flagDecider,
    project,
  )(created, targets(['on', ['u1']]))
    .when({ type: 'AddTargets', data: { ...inProduction, variant: 'on', keys: ['u1'] } })
    .thenRecords();
});

test('removing targets', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created, targets(['on', ['u1', 'u2']]))
    .when({ type: 'RemoveTargets', data: { ...inProduction, keys: ['u1', 'u9'] } })
    .thenRecords(removed(['on', ['u1']]));
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'RemoveTargets', data: { ...inProduction, keys: ['u9'] } })
    .thenRecords();
});
