import fc from 'fast-check';
import { test } from 'tap';
import { type TargetingMode } from '../../../src/domain/flagd/parse.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { type Flag } from '../../../src/domain/flag/flag.js';
import { flagdDocument } from '../../../src/domain/flagd/export.js';
import { type Json, type JsonObject } from '../../../src/domain/json.js';
import { flagStream, segmentStream } from '../../../src/domain/streams.js';
import { conflictsOf, importingProject as started } from '../../support/importing-project.js';
import { metadata } from '../../support/metadata.js';
import { project as randomProject } from '../../support/random-flagd-project.js';
import { contentsOf } from '../../support/rulesets.js';
import { ENVIRONMENT, PROJECT_ID } from '../../support/flags.js';

const PLACE = { projectId: PROJECT_ID, flagKey: 'f', environment: ENVIRONMENT } as const;

const fileOf = (flag: JsonObject): JsonObject => ({
  flags: {
    f: { state: 'ENABLED', variants: { a: 1, b: 2, c: 3 }, defaultVariant: 'a', ...flag },
  },
});

const served = (variant: string) => ({ fallthrough: { variant } });

const fallthrough = (flag: Flag, environment: string = ENVIRONMENT): Json =>
  flag.status === 'absent' ? null : (flag.environments[environment]?.fallthrough ?? null);

test('what people did since is kept by the next import of the same file', async (t) => {
  const { run, importing, flagNow, appended } = await started();
  await importing(fileOf({}));
  await run.flag({ type: 'ChangeRollout', data: { ...PLACE, ...served('b') } });
  const before = appended.length;
  const { flags } = await importing(fileOf({}));
  t.match(flags, [{ result: 'unchanged', kept: ['/environments/production/fallthrough'] }]);
  t.equal(appended.length, before, 'nothing is written');
  t.strictSame(fallthrough(await flagNow('f')), { variant: 'b' });

  await t.test('and by one of a file that changed elsewhere, also the time after', async (t) => {
    const changed = fileOf({ variants: { a: 10, b: 2, c: 3 } });
    t.match((await importing(changed)).flags, [{ result: 'changed' }]);
    t.match((await importing(changed)).flags, [{ result: 'unchanged' }]);
    t.match(await flagNow('f'), { variants: [{ name: 'a', value: 10 }, {}, {}] });
    t.strictSame(fallthrough(await flagNow('f')), { variant: 'b' });
  });
});

test('what only the file changed is applied', async (t) => {
  const { importing, flagNow } = await started();
  await importing(fileOf({}));
  t.match((await importing(fileOf({ defaultVariant: 'b' }))).flags, [{ result: 'changed' }]);
  t.strictSame(fallthrough(await flagNow('f')), { variant: 'b' });
});

test('what both changed is a conflict', async (t) => {
  const bothChanged = async () => {
    const all = await started();
    await all.importing({
      flags: {
        ...(fileOf({})['flags'] as JsonObject),
        g: (fileOf({})['flags'] as JsonObject)['f'] ?? null,
      },
    });
    await all.run.flag({ type: 'ChangeRollout', data: { ...PLACE, ...served('b') } });
    return { ...all, before: all.appended.length };
  };
  const file: JsonObject = {
    flags: {
      ...(fileOf({ defaultVariant: 'c' })['flags'] as JsonObject),
      g: (fileOf({ defaultVariant: 'c' })['flags'] as JsonObject)['f'] ?? null,
    },
  };

  await t.test('which ends the import before anything is written', async (t) => {
    const { importing, appended, before } = await bothChanged();
    const [conflict, ...more] = await conflictsOf(importing(file));
    t.strictSame(more, []);
    t.match(conflict, {
      flag: 'f',
      field: '/environments/production/fallthrough',
      theirs: { variant: 'b' },
      mine: { variant: 'c' },
      changedBy: { id: /./ },
      changedAt: /^\d{4}-/,
      revision: 2,
    });
    t.equal(appended.length, before);
    const { flags } = await importing(file, { dryRun: true });
    t.match(flags, [
      {
        flag: 'f',
        result: 'refused',
        code: 'conflicting-changes',
        conflicts: [{ field: conflict?.field, revision: 2 }],
      },
      { flag: 'g', result: 'changed' },
    ]);
  });

  await t.test('skip leaves that flag alone, and imports the others', async (t) => {
    const { importing, flagNow } = await bothChanged();
    const { flags } = await importing(file, { onConflict: 'skip' });
    t.match(flags, [
      { flag: 'f', result: 'skipped', conflicts: [{}] },
      { flag: 'g', result: 'changed' },
    ]);
    t.strictSame(fallthrough(await flagNow('f')), { variant: 'b' });
    t.strictSame(fallthrough(await flagNow('f'), 'staging'), { variant: 'a' });
  });

  await t.test('theirs keeps that field, and takes the others', async (t) => {
    const { importing, flagNow } = await bothChanged();
    const { flags } = await importing(file, { onConflict: 'theirs' });
    t.match(flags, [{ flag: 'f', result: 'changed', conflicts: [{}] }, {}]);
    t.strictSame(fallthrough(await flagNow('f')), { variant: 'b' });
    t.strictSame(fallthrough(await flagNow('f'), 'staging'), { variant: 'c' });
    t.match((await importing(file)).flags, [{ result: 'unchanged' }, {}], 'once is enough');
  });

  await t.test('mine takes the field of the file', async (t) => {
    const { importing, flagNow } = await bothChanged();
    t.match((await importing(file, { onConflict: 'mine' })).flags, [{ result: 'changed' }, {}]);
    t.strictSame(fallthrough(await flagNow('f')), { variant: 'c' });
    t.match((await importing(file)).flags, [{ result: 'unchanged' }, {}]);
  });
});

test('a flag that people made is theirs until an import has changed it', async (t) => {
  const { run, importing } = await started();
  await run.createFlag('f');
  const variants = { on: true, off: false };
  const same = { ...fileOf({ state: 'DISABLED', variants, defaultVariant: 'on' }) };
  t.match((await importing(same)).flags, [{ result: 'unchanged' }]);
  const other = fileOf({ variants, defaultVariant: 'on' });
  t.match(await conflictsOf(importing(other)), [
    { field: '/environments/production/enabled', theirs: false, mine: true, revision: 0 },
    { field: '/environments/staging/enabled' },
  ]);
});

test('an import for one environment changes no other', async (t) => {
  const staging = { environments: ['staging'] };
  const changes: readonly JsonObject[] = [
    { variants: { a: 99, b: 2, c: 3 } },
    { variants: { a: 1, b: 2 } },
    { metadata: { team: 'web' } },
    { description: 'other' },
  ];
  for (const change of changes) {
    const { importing, flagNow } = await started();
    await importing(fileOf({}));
    const before = await flagNow('f');
    for (const onConflict of ['fail', 'mine'] as const) {
      const refused = importing(fileOf(change), { ...staging, onConflict, dryRun: true });
      t.match((await refused).flags, [
        {
          result: 'refused',
          code: 'conflicting-changes',
          conflicts: [{ why: /'production' too/ }],
        },
      ]);
    }
    const both = fileOf({ ...change, defaultVariant: 'b' });
    await importing(both, { ...staging, onConflict: 'theirs' });
    const after = await flagNow('f');
    t.strictSame(fallthrough(after, 'staging'), { variant: 'b' });
    t.match(after, { variants: (before as { variants: unknown }).variants });
    t.strictSame(fallthrough(after), fallthrough(before));
    t.match((await importing(both)).flags, [{ result: 'changed' }], 'for all it is applied');
  }
  const { importing, flagNow } = await started();
  await importing(fileOf({}));
  await importing(fileOf({ variants: { a: 1, b: 2, c: 3, d: 4 }, defaultVariant: 'd' }), staging);
  t.strictSame(
    fallthrough(await flagNow('f'), 'staging'),
    { variant: 'd' },
    'new variants are fine',
  );
});

test('a shared condition that people changed stays', async (t) => {
  const file = (plan: string, other = 1): JsonObject => ({
    $evaluators: { pro: { '==': [{ var: 'plan' }, plan] } },
    flags: {
      f: {
        state: 'ENABLED',
        variants: { a: other, b: 2 },
        defaultVariant: 'a',
        targeting: { if: [{ $ref: 'pro' }, 'b'] },
      },
    },
  });
  const { run, importing } = await started();
  await importing(file('pro'));
  const clauses = [{ attribute: 'plan', operator: 'in' as const, values: ['team'] }];
  const data = { projectId: PROJECT_ID, segmentKey: 'pro', rules: [{ id: 'r', clauses }] };
  await run.segment({ type: 'ReplaceSegmentRules', data });
  t.match(await importing(file('pro', 7)), {
    segments: [{ result: 'unchanged', kept: ['/rules'] }],
    flags: [{ result: 'changed' }],
  });
  t.match(await conflictsOf(importing(file('gold'))), [
    { segment: 'pro', field: '/rules', theirs: [{ id: 'r' }], mine: [{ id: 'flagd-1' }] },
  ]);
  t.match(await importing(file('gold'), { onConflict: 'skip' }), {
    segments: [{ result: 'unchanged', conflicts: [{}] }],
  });
  t.match(await importing(file('gold'), { onConflict: 'mine' }), {
    segments: [{ result: 'changed' }],
  });
});

test('a rule that names no variant of the flag is warned of', async (t) => {
  const { importing } = await started();
  const { flags } = await importing(fileOf({ targeting: { if: [{ var: 'x' }, 'nope', 'b'] } }));
  t.match(flags, [{ result: 'created', warnings: [/"nope", which is no variant/] }]);
});

test('an export that was edited changes only what was edited', async (t) => {
  const { run, importing, flagNow, exported } = await started();
  await run.createFlag('f');
  await run.flag({ type: 'EnableFlag', data: PLACE });
  const targets = [{ variant: 'off', keys: ['zoe'] }];
  await run.flag({ type: 'ChangeTargets', data: { ...PLACE, targets } });
  const clauses = [{ attribute: 'plan', operator: 'in' as const, values: ['pro'] }];
  const rules = [{ id: 'pros', description: 'They pay', clauses, serve: { variant: 'on' } }];
  await run.flag({ type: 'ReplaceRules', data: { ...PLACE, rules } });
  const text = JSON.stringify(await exported(ENVIRONMENT, ['f']));
  const edited = JSON.parse(text.replace('"zoe"', '"zoe","yan"')) as JsonObject;
  const options = { environments: [ENVIRONMENT], onConflict: 'mine' } as const;
  const { flags } = await importing(edited, options);
  t.match(flags, [
    { result: 'changed', conflicts: [{ field: '/environments/production/targets' }] },
  ]);
  t.match(await flagNow('f'), {
    environments: { production: { targets: [{ keys: ['zoe', 'yan'] }], rules: [{ id: 'pros' }] } },
  });
});

test('any number of trips through export and import writes nothing', async (t) => {
  const mode = fc.constantFrom<TargetingMode[]>('rules', 'exact');
  const cases = fc.sample(fc.tuple(randomProject, mode), { numRuns: 150, seed: 20261126 });
  for (const [[segments, flags], targeting] of cases) {
    const { memory, importing, appended } = await started();
    const options = { expectedRevision: -1, metadata: metadata('made') };
    for (const { key, included, excluded, rules } of segments) {
      const details = { projectId: PROJECT_ID, key, name: key, description: '', tags: [] };
      const data = { ...details, included, excluded, rules };
      const event = { id: key, type: 'SegmentCreated', data };
      await memory.append(segmentStream(PROJECT_ID, key), [event], options);
    }
    for (const { key, type, variants, salt, configuration } of flags) {
      const details = { projectId: PROJECT_ID, key, name: key, description: '', tags: [] };
      const environments = { [ENVIRONMENT]: configuration };
      const data = { ...details, type, variants, salt, defaults: configuration, environments };
      const event = { id: key, type: 'FlagCreated', data } satisfies FlagEvent & { id: string };
      await memory.append(flagStream(PROJECT_ID, key), [event], options);
    }
    const { document } = flagdDocument(contentsOf(flags, segments), 'acme');
    const before = appended.length;
    for (let trip = 1; trip <= 2; trip += 1) {
      const report = await importing(document, { targeting, environments: [ENVIRONMENT] });
      const results = report.flags.map(({ result }) => result);
      t.strictSame([...new Set(results)], ['unchanged']);
    }
    t.equal(appended.length, before, 'nothing is written');
  }
});
