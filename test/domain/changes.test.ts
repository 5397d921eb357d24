import * as fc from 'fast-check';
import { test } from 'tap';
import {
  changesBetween,
  changesInEnvironment,
  projectChangesBetween,
} from '../../src/domain/changes.js';
import { type Serve } from '../../src/domain/flag/configuration.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../src/domain/flag/flag.js';
import { sameJson } from '../../src/domain/json.js';
import { type ExistingProject } from '../../src/domain/project.js';
import { configuration, flagContent, logs, splitServe } from '../support/histories.js';

const SEED = 20_260_101;

const flag: ExistingFlag = { ...flagContent('checkout'), status: 'active' };
const told = (before: ExistingFlag | undefined, after: ExistingFlag | undefined) =>
  changesBetween(before, after).map(({ text }) => text);
const texts = (after: ExistingFlag) => told(flag, after);
const inProduction = (change: Partial<typeof configuration>): ExistingFlag => ({
  ...flag,
  environments: { production: { ...configuration, ...change } },
});

test('a new flag is told with its variants and configurations', async (t) => {
  t.strictSame(
    told(undefined, inProduction({ enabled: true, targets: [{ variant: 'on', keys: ['a'] }] })),
    [
      'created as boolean flag "Flag checkout" with the variants "on", "off"',
      'by default: disabled, serves variant "on", off variant "off"',
      'production: enabled, serves variant "on", off variant "off", 1 targeted to "on"',
    ],
  );
});

test('equal states have no changes', async (t) => {
  t.strictSame(changesBetween(flag, structuredClone(flag)), []);
  t.strictSame(changesBetween(undefined, undefined), []);
});

test('a flag that did not exist yet at the later end is said to be absent', async (t) => {
  t.strictSame(changesBetween(flag, undefined), [
    { path: '/status', before: 'active', text: 'did not exist' },
  ]);
});

test('details are told with both values', async (t) => {
  const after = { ...flag, name: 'Checkout', description: 'new', tags: ['web'] };
  t.strictSame(texts(after), [
    'name was "Flag checkout", now "Checkout"',
    'description was "", now "new"',
    'tag "web" added',
  ]);
  t.strictSame(told(after, flag), [
    'name was "Checkout", now "Flag checkout"',
    'description was "new", now ""',
    'tag "web" removed',
  ]);
});

test('variants come, go and change', async (t) => {
  const [on] = flag.variants;
  const after = {
    ...flag,
    variants: [
      { name: 'blue', value: 'b' },
      { ...on!, value: 1, description: 'x' },
    ],
  };
  t.strictSame(texts(after), [
    'variant "off" removed',
    'variant "blue" added, with the value "b"',
    'value of variant "on" was true, now 1',
    'description of variant "on" was "", now "x"',
  ]);
  t.strictSame(texts({ ...flag, variants: flag.variants.toReversed() }), [
    'variants put in another order: "off", "on"',
  ]);
});

test('an environment that gets its own configuration is told by what differs in it', async (t) => {
  t.strictSame(changesBetween(flag, inProduction({ enabled: true })), [
    {
      path: '/environments/production/enabled',
      before: false,
      after: true,
      text: 'production: enabled',
    },
  ]);
  t.strictSame(texts(inProduction({})), [
    "production: has its own configuration, so far like the flag's defaults",
  ]);
  t.strictSame(told(inProduction({ enabled: true }), flag), [
    "production: follows the flag's defaults again",
    'production: disabled',
  ]);
});

test('a rollout is told in percent', async (t) => {
  t.strictSame(texts(inProduction({ fallthrough: splitServe(25_000) })), [
    'production: fallthrough was variant "on", now on 25 % / off 75 %',
  ]);
  t.strictSame(texts(inProduction({ fallthrough: { variant: null }, offVariant: null })), [
    'production: fallthrough was variant "on", now no variant (the caller\'s own default)',
    'production: off variant was "off", now none (the caller\'s own default)',
  ]);
  const odd: Serve = {
    split: {
      weights: [
        { variant: 'on', weight: 1 },
        { variant: 'off', weight: 2 },
      ],
      total: 3,
      bucketBy: 'company',
      algorithm: 'murmur3-32',
      salt: 's',
    },
  };
  t.strictSame(texts(inProduction({ fallthrough: odd })), [
    'production: fallthrough was variant "on", now on 33.333 % (1 of 3) / off 66.667 % (2 of 3) by "company" with salt "s"',
  ]);
});

test('targets are told as keys that joined and left', async (t) => {
  const before = inProduction({
    targets: [
      { variant: 'on', keys: ['user-1', 'user-2'] },
      { variant: 'off', keys: ['user-3'] },
    ],
  });
  const many = Array.from({ length: 7 }, (_, index) => `u${index}`);
  t.strictSame(texts(before), [
    'production: "user-1", "user-2" added to the targets of "on"',
    'production: "user-3" added to the targets of "off"',
  ]);
  t.strictSame(
    told(before, inProduction({ targets: [{ variant: 'on', keys: ['user-2', ...many] }] })),
    [
      'production: "user-1" removed from the targets of "on"',
      'production: "u0", "u1", "u2", "u3", "u4" and 2 more added to the targets of "on"',
      'production: "user-3" removed from the targets of "off"',
    ],
  );
  t.strictSame(
    told(
      before,
      inProduction({
        targets: [
          { variant: 'on', keys: ['user-2', 'user-1'] },
          { variant: 'off', keys: ['user-3'] },
        ],
      }),
    ),
    ['production: targets put in another order'],
  );
});

test('the status is told as what was done', async (t) => {
  const archived = { ...flag, status: 'archived' } as const;
  const deleted: ExistingFlag = { ...flag, status: 'deleted', statusBefore: 'archived' };
  t.strictSame(
    [
      texts(archived),
      told(archived, flag),
      told(archived, deleted),
      told(deleted, archived),
      told(undefined, deleted)[0],
    ],
    [
      ['archived'],
      ['taken out of the archive'],
      ['deleted'],
      ['restored as archived'],
      'created as boolean flag "Flag checkout" with the variants "on", "off", deleted since',
    ],
  );
});

test('in one environment only what applications there can notice is told', async (t) => {
  const after: ExistingFlag = {
    ...flag,
    name: 'other',
    tags: ['x'],
    environments: { production: { ...configuration, enabled: true }, development: configuration },
  };
  t.strictSame(
    changesInEnvironment(flag, after, 'production').map(({ text }) => text),
    ['production: enabled'],
  );
  t.strictSame(changesInEnvironment(flag, after, 'development'), []);
  const defaults = { ...flag, defaults: { ...configuration, enabled: true } };
  t.strictSame(
    changesInEnvironment(flag, defaults, 'production').map(({ text }) => text),
    ['production: enabled'],
  );
  t.strictSame(
    changesInEnvironment(undefined, flag, 'production').map(({ path }) => path),
    ['/status', '/environments/production'],
  );
});

test('projects and their environments', async (t) => {
  const production = {
    key: 'production',
    name: 'P',
    description: '',
    color: '#000000',
    isProduction: true,
    status: 'active',
  } as const;
  const before: ExistingProject = {
    status: 'active',
    organizationId: 'acme',
    key: 'shop',
    name: 'Shop',
    description: '',
    environments: [production],
  };
  const changed = (from: ExistingProject | undefined, to: ExistingProject | undefined) =>
    projectChangesBetween(from, to).map(({ text }) => text);
  t.strictSame(changed(before, before), []);
  t.strictSame(changed(before, undefined), ['did not exist']);
  t.strictSame(changed(undefined, before), [
    'created as "Shop"',
    'environment "production" added, as a production environment',
  ]);
  t.strictSame(changed(before, { ...before, status: 'deleted', name: 'Store' }), [
    'deleted',
    'name was "Shop", now "Store"',
  ]);
  t.strictSame(
    changed(before, {
      ...before,
      environments: [{ ...production, status: 'deleted', isProduction: false, color: '#FFFFFF' }],
    }),
    [
      'production: deleted',
      'production: color was "#000000", now "#FFFFFF"',
      'production: no longer a production environment',
    ],
  );
  t.strictSame(changed(before, { ...before, environments: [] }), [
    'environment "production" not there',
  ]);
});

test('states differ exactly when changes are told', async (t) => {
  fc.assert(
    fc.property(logs(25), (log) => {
      const states = log
        .filter(({ stream }) => stream.endsWith(':alpha'))
        .reduce<readonly ExistingFlag[]>((past, event) => {
          const next = evolveFlag(past.at(-1) ?? absentFlag, event as FlagEvent);
          return next.status === 'absent' ? past : [...past, next];
        }, []);
      for (const before of states) {
        for (const after of states) {
          if (sameJson(before, after) !== (changesBetween(before, after).length === 0)) {
            throw new Error(JSON.stringify([before, after]));
          }
        }
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
  t.pass(`seed ${SEED}`);
});
