import { test } from 'tap';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { flagDecider } from '../../support/deciders.js';
import {
  archived,
  booleanDefaults,
  created,
  deleted,
  enabled,
  flag,
  inProduction,
  project,
} from '../../support/flags.js';
import { given } from '../../support/given.js';

const environment = 'production';

const rollout = (...weights: [string, number][]): FlagEvent => ({
  type: 'FlagRolloutChanged',
  data: {
    environment,
    fallthrough: {
      split: {
        weights: weights.map(([variant, weight]) => ({ variant, weight })),
        total: 100_000,
        bucketBy: 'targetingKey',
        algorithm: 'murmur3-32',
      },
    },
  },
});

test('enabling and disabling record once', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'EnableFlag', data: inProduction })
    .thenRecords(enabled);
  given(
    t,
    flagDecider,
    project,
  )(created, enabled)
    .when({ type: 'EnableFlag', data: inProduction })
    .thenRecords();
  given(
    t,
    flagDecider,
    project,
  )(created, enabled)
    .when({ type: 'DisableFlag', data: inProduction })
    .thenRecords({ type: 'FlagDisabled', data: { environment } });
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'DisableFlag', data: inProduction })
    .thenRecords();
});

test('an unknown or a deleted environment, an archived or a deleted flag refuse', async (t) => {
  const enable = (environment: string) =>
    ({ type: 'EnableFlag', data: { ...flag, environment } }) as const;
  given(t, flagDecider, project)(created).when(enable('qa')).thenRefuses('environment-not-found');
  given(t, flagDecider, project)(created).when(enable('old')).thenRefuses('environment-deleted');
  given(t, flagDecider, project)().when(enable(environment)).thenRefuses('flag-not-found');
  given(
    t,
    flagDecider,
    project,
  )(created, archived)
    .when(enable(environment))
    .thenRefuses('flag-archived');
  given(
    t,
    flagDecider,
    project,
  )(created, deleted)
    .when(enable(environment))
    .thenRefuses('flag-deleted');
});

test('details that are left out stay', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeFlagDetails', data: { ...flag, tags: ['a', 'a', 'b'] } })
    .thenRecords({
      type: 'FlagDetailsChanged',
      data: { name: 'checkout', description: '', tags: ['a', 'b'] },
    });
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeFlagDetails', data: { ...flag, name: 'checkout' } })
    .thenRecords();
});

test('a variant that is served cannot be left out', async (t) => {
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeVariants', data: { ...flag, variants: [{ name: 'on', value: true }] } })
    .thenRefuses('variant-in-use');
});

test('the same variants record nothing, new ones the whole list', async (t) => {
  const variants = [
    { name: 'on', value: true },
    { name: 'off', value: false },
  ];
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeVariants', data: { ...flag, variants } })
    .thenRecords();
  const more = [...variants, { name: 'forced', value: true }];
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeVariants', data: { ...flag, variants: more } })
    .thenRecords({ type: 'FlagVariantsChanged', data: { variants: more } });
});

test('an off variant exists or is none', async (t) => {
  const change = (offVariant: string | null) =>
    ({ type: 'ChangeOffVariant', data: { ...inProduction, offVariant } }) as const;
  given(t, flagDecider, project)(created).when(change('off')).thenRecords();
  given(t, flagDecider, project)(created).when(change('x')).thenRefuses('unknown-variant');
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when(change(null))
    .thenRecords({ type: 'FlagOffVariantChanged', data: { environment, offVariant: null } });
});

test('shares become weights of 0.001 %', async (t) => {
  const split = [
    { variant: 'on', percent: 33.333 },
    { variant: 'off', percent: 66.667 },
  ];
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when({ type: 'ChangeRollout', data: { ...inProduction, fallthrough: { split } } })
    .thenRecords(rollout(['on', 33_333], ['off', 66_667]));
});

test('a split of the same variants keeps their order, so that nobody moves without need', async (t) => {
  const split = [
    { variant: 'off', percent: 40 },
    { variant: 'on', percent: 60 },
  ];
  given(
    t,
    flagDecider,
    project,
  )(created, rollout(['on', 50_000], ['off', 50_000]))
    .when({ type: 'ChangeRollout', data: { ...inProduction, fallthrough: { split } } })
    .thenRecords(rollout(['on', 60_000], ['off', 40_000]));
});

test('impossible shares are refused', async (t) => {
  const shares = (...percents: [string, number][]) =>
    ({
      type: 'ChangeRollout',
      data: {
        ...inProduction,
        fallthrough: { split: percents.map(([variant, percent]) => ({ variant, percent })) },
      },
    }) as const;
  const asked = given(t, flagDecider, project)(created);
  asked.when(shares(['on', 50], ['off', 49])).thenRefuses('weights-not-100');
  asked.when(shares(['on', 50.0001], ['off', 49.9999])).thenRefuses('invalid-weight');
  asked.when(shares(['on', 110], ['off', -10])).thenRefuses('invalid-weight');
  asked.when(shares(['on', 50], ['on', 50])).thenRefuses('duplicate-variant');
  asked.when(shares(['on', 50], ['maybe', 50])).thenRefuses('unknown-variant');
});

test('a fallthrough to one variant, or to none, records once', async (t) => {
  const change = (variant: string | null) =>
    ({ type: 'ChangeRollout', data: { ...inProduction, fallthrough: { variant } } }) as const;
  given(t, flagDecider, project)(created).when(change('on')).thenRecords();
  given(
    t,
    flagDecider,
    project,
  )(created)
    .when(change(null))
    .thenRecords({
      type: 'FlagRolloutChanged',
      data: { environment, fallthrough: { variant: null } },
    });
});

test('a rollout percentage splits and enables in one go', async (t) => {
  const set = (percentage: number) =>
    ({ type: 'SetRolloutPercentage', data: { ...inProduction, percentage } }) as const;
  const quarter = rollout(['on', 25_000], ['off', 75_000]);
  given(t, flagDecider, project)(created).when(set(25)).thenRecords(quarter, enabled);
  given(t, flagDecider, project)(created, quarter, enabled).when(set(25)).thenRecords();
  given(t, flagDecider, project)(created, quarter, enabled)
    .when(set(100))
    .thenRecords({
      type: 'FlagRolloutChanged',
      data: { environment, fallthrough: { variant: 'on' } },
    });
});

test('a rollout percentage needs true and false', async (t) => {
  const data = { ...booleanDefaults, offVariant: null, fallthrough: { variant: 'a' } };
  const text: FlagEvent = {
    type: 'FlagCreated',
    data: {
      ...(created.data as Extract<FlagEvent, { type: 'FlagCreated' }>['data']),
      type: 'string',
      variants: [{ name: 'a', value: 'x' }],
      defaults: data,
    },
  };
  given(
    t,
    flagDecider,
    project,
  )(text)
    .when({ type: 'SetRolloutPercentage', data: { ...inProduction, percentage: 5 } })
    .thenRefuses('flag-not-boolean');
});

test('promoting copies the configuration once', async (t) => {
  const promote = {
    type: 'PromoteFlag',
    data: { ...flag, from: 'production', to: 'staging' },
  } as const;
  const promoted: FlagEvent = {
    type: 'FlagPromoted',
    data: {
      from: 'production',
      to: 'staging',
      configuration: { ...booleanDefaults, enabled: true },
    },
  };
  given(t, flagDecider, project)(created, enabled).when(promote).thenRecords(promoted);
  given(t, flagDecider, project)(created, enabled, promoted).when(promote).thenRecords();
});
