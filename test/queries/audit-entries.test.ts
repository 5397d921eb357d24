import { test } from 'tap';
import { apiKeyStream, organizationStream } from '../../src/domain/streams.js';
import { findActors, nameActors } from '../../src/queries/audit/actors.js';
import { auditLog } from '../../src/queries/audit/audit-log.js';
import { testDatabase } from '../support/database.js';
import {
  flagContent,
  onFlag,
  onSegment,
  ORGANIZATION,
  projectBegins,
  recorded,
  segmentContent,
} from '../support/histories.js';
import { queryApp } from '../support/query-app.js';
import { fillReadModel } from '../support/read-model.js';
import { OTHER_ORGANIZATION, shopLog } from '../support/shop-log.js';

const WORDS = 'lorem ipsum '.repeat(40_000);

/** A flag with three large variants; a segment, a project and an organization with a member and a key. */
const companyLog = recorded([
  ...projectBegins,
  {
    stream: organizationStream(ORGANIZATION),
    event: {
      type: 'OrganizationRegistered',
      data: { name: 'Acme', owner: { userId: 'u-anna', email: 'Anna@Example.com' } },
    },
  },
  {
    stream: organizationStream(ORGANIZATION),
    event: { type: 'OrganizationRenamed', data: { name: 'Acme Ltd' } },
    metadata: { actor: { id: 'u-anna', type: 'user', authMethod: 'password' } },
  },
  {
    stream: apiKeyStream(ORGANIZATION, 'k-ci'),
    event: {
      type: 'ApiKeyIssued',
      data: { keyId: 'k-ci', kind: 'admin', name: 'CI pipeline', prefix: 'cf_' },
    },
  },
  onSegment('staff', { type: 'SegmentCreated', data: segmentContent('staff') }),
  onSegment(
    'staff',
    { type: 'SegmentKeysChanged', data: { included: ['bert'], excluded: [] } },
    { metadata: { actor: { id: 'k-ci', type: 'apiKey', authMethod: 'api-token' } } },
  ),
  onSegment('staff', {
    type: 'SegmentKeysAdded',
    data: { included: ['cleo'], excluded: [] },
  }),
  onFlag('big', { type: 'FlagCreated', data: { ...flagContent('big'), type: 'string' } }),
  ...Array.from({ length: 12 }, (_, nth) =>
    onFlag('big', {
      type: 'FlagVariantsChanged',
      data: {
        variants: [
          { name: 'on', value: `${nth}${WORDS}` },
          { name: 'off', value: '' },
        ],
      },
    }),
  ),
]);

test('an entry says what it changed, in every category that has a state', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, companyLog);
  const scope = { organizationId: ORGANIZATION, seesPeople: true };
  const texts = async (type: string) => {
    const { items } = await auditLog(db)({
      ...scope,
      filter: { types: [type] },
      upTo: { position: companyLog.at(-1)!.position },
    });
    return items[0]?.changes.map(({ text }) => text);
  };
  t.strictSame(await texts('OrganizationRenamed'), ['name was "Acme", now "Acme Ltd"']);
  t.match(await texts('SegmentKeysChanged'), [/bert/]);
  t.match(await texts('SegmentKeysAdded'), [/cleo/]);
  t.match(await texts('EnvironmentAdded'), [/added/]);
  t.match(await texts('FlagVariantsChanged'), [/"on"/]);
  t.strictSame(await texts('ApiKeyIssued'), []);
});

test('a page of large states ends early, and its cursor leads to the rest', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, companyLog);
  const question = {
    organizationId: ORGANIZATION,
    seesPeople: false,
    filter: { flag: 'big' },
    upTo: { position: companyLog.at(-1)!.position },
    limit: 100,
  };
  const seen: number[] = [];
  let pages = 0;
  for (let cursor: string | null | undefined; cursor !== null; pages += 1) {
    const page = await auditLog(db)({ ...question, ...(cursor !== undefined && { cursor }) });
    t.ok(JSON.stringify(page).length < 6_000_000, `page ${pages} is bounded`);
    seen.push(...page.items.map(({ revision }) => revision));
    cursor = page.nextCursor;
  }
  t.ok(pages > 2);
  t.strictSame(seen, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test('people are found by their e-mail address, and keys by their name', async (t) => {
  const { pool: db } = await testDatabase(t);
  await fillReadModel(db, companyLog);
  const find = findActors(db);
  const seeing = { organizationId: ORGANIZATION, seesPeople: true };
  t.strictSame(await find('u-anna', seeing), ['u-anna'], 'an id is itself');
  t.strictSame(await find('anna@example', seeing), ['u-anna']);
  t.strictSame(await find('pipeline', seeing), ['k-ci']);
  const blind = { ...seeing, seesPeople: false };
  t.strictSame(await find('CI', blind), ['k-ci']);
  await t.rejects(find('anna@', blind), { code: 'unknown-actor' });
  await t.rejects(find('nobody', seeing), { code: 'unknown-actor' });
  await t.rejects(find('pipeline', { ...seeing, organizationId: OTHER_ORGANIZATION }), {
    code: 'unknown-actor',
  });

  const { items } = await auditLog(db)({
    ...seeing,
    filter: { actors: ['u-anna', 'k-ci'] },
    upTo: { position: companyLog.at(-1)!.position },
    order: 'asc',
  });
  t.strictSame(
    items.map(({ actor }) => actor.name),
    ['Anna@Example.com', 'CI pipeline'],
  );
  const [unnamed] = await nameActors(db)(items, blind);
  t.equal(unnamed?.actor.name, null, 'addresses are for those who may see members');
});

test('one event is answered by its position, to its own organization only', async (t) => {
  const { ask, refusal } = await queryApp(t);
  const { position } = shopLog.find(({ type }) => type === 'FlagRolloutChanged')!;
  const { json } = await ask(`/audit/events/${position}`);
  t.match(json(), {
    type: 'FlagRolloutChanged',
    position,
    actor: { name: null },
    changes: [{ path: '/environments/production/fallthrough' }],
  });
  t.equal(await refusal(`/audit/events/${Number(position) + 1}`), '404 event-not-found');
  t.equal(
    await refusal(`/audit/events/${position}`, { authorization: `Bearer ${OTHER_ORGANIZATION}` }),
    '404 event-not-found',
  );
  t.equal(
    await refusal(`/audit/events/${position}`, { authorization: 'Bearer acme.gone' }),
    '404 event-not-found',
    'an auditor of another project',
  );
});
