import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { registerOrganization } from '../../support/organizations.js';
import { type Answer, type Options } from '../../support/http-client.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

type Used = Readonly<{ used: number; limit: number | null }>;
type Usage = Readonly<
  Record<'projects' | 'members' | 'tokens' | 'keys' | 'bytes', Used> & {
    byProject: readonly Readonly<{ project: string; flags: Used; segments: Used }>[];
  }
>;

const BYTES = 180_000;
const QUOTAS = {
  QUOTA_PROJECTS: '2',
  QUOTA_MEMBERS: '3',
  QUOTA_TOKENS: '2',
  QUOTA_KEYS: '2',
  QUOTA_FLAGS: '5',
  QUOTA_SEGMENTS: '2',
  QUOTA_BYTES: String(BYTES),
  QUOTA_INSTALLATION_BYTES: '300000',
};

const isRefused = (t: Test, answer: Answer, quota: string, more: object = {}): void => {
  const type = 'urn:chronoflag:problem:quota-exceeded';
  t.match(answer, { status: 403, body: { type, quota, ...more } }, `${quota}: ${answer.text}`);
};

test('quotas', async (t) => {
  const service = await testService(t, QUOTAS);
  const organization = async (name: string) => {
    const { credential } = await registerOrganization(service, name);
    const post = <Body>(path: string, body: object = {}, more: Options = {}) =>
      service.post<Body>(path, { body, credential, ...more });
    const made = await post('/projects', { key: 'shop', environments: [{ key: 'production' }] });
    t.equal(made.status, 201);
    const usage = async () =>
      (await service.get<Usage>('/organization/usage', { credential })).body;
    return { credential, post, usage };
  };
  const { credential, post, usage } = await organization('Full');
  const FLAGS = '/projects/shop/flags';
  const newFlag = (key: string, more: object = {}) => ({ key, type: 'boolean', ...more });

  await t.test('each is refused at its border, a dry run too', async (t) => {
    const borders: readonly (readonly [string, number, string, () => object, object])[] = [
      ['projects', 1, '/projects', () => ({ key: randomUUID() }), { used: 2, asked: 1, limit: 2 }],
      [
        'members',
        2,
        '/invitations',
        () => ({ email: `${randomUUID()}@example.com`, role: 'viewer' }),
        { used: 3, asked: 1, limit: 3 },
      ],
      ['tokens', 2, '/tokens', () => ({ name: 'One', role: 'viewer' }), { used: 2 }],
      [
        'keys',
        2,
        '/projects/shop/environments/production/keys',
        () => ({ name: 'One', kind: 'server' }),
        { used: 2 },
      ],
      [
        'segments',
        2,
        '/projects/shop/segments',
        () => ({ key: randomUUID() }),
        { project: 'shop' },
      ],
      ['flags', 4, FLAGS, () => newFlag(randomUUID()), { project: 'shop', used: 5, limit: 5 }],
    ];
    t.equal((await post(FLAGS, newFlag('checkout'))).status, 201);
    for (const [quota, left, path, body, told] of borders) {
      for (let nth = 0; nth < left; nth += 1)
        t.match(await post(path, body()), { status: 201 }, `${quota} ${nth}`);
      isRefused(t, await post(path, body()), quota, told);
      isRefused(t, await post(`${path}?dryRun=true`, body()), quota);
    }
    isRefused(t, await post(`${FLAGS}/checkout/copy`, { key: 'copied' }), 'flags');
    const file = (flag: string) => ({
      flags: { [flag]: { state: 'ENABLED', variants: { on: true }, defaultVariant: 'on' } },
    });
    isRefused(t, await post('/projects/shop/import', file('brought')), 'flags', { asked: 1 });
    t.match(await post('/projects/shop/import?onConflict=theirs', file('checkout')), {
      status: 200,
    });
  });

  await t.test('what is deleted makes room, and can be restored while there is room', async (t) => {
    const [, gone] = (await service.get<{ items: { key: string }[] }>(FLAGS, { credential })).body
      .items;
    const path = `${FLAGS}/${gone?.key ?? ''}`;
    t.match(await service.delete(path, { credential }), { status: 200 });
    const headers = { 'idempotency-key': randomUUID() };
    await until('there is room', async () => {
      const { status } = await post(FLAGS, newFlag('again'), { headers });
      return status === 201;
    });
    const repeated = await post(FLAGS, newFlag('again'), { headers });
    t.match(repeated, { status: 201, headers: { 'idempotency-replayed': 'true' } });
    isRefused(t, await post(`${path}/restore`), 'flags');
  });

  await t.test('a burst does not run past', async (t) => {
    await service.delete(`${FLAGS}/again`, { credential });
    await until('it is not counted any more', async () => {
      const { byProject } = await usage();
      return byProject.some(({ flags }) => flags.used === 4);
    });
    const burst = await Promise.all([1, 2, 3, 4].map((nth) => post(FLAGS, newFlag(`b-${nth}`))));
    t.strictSame(burst.map(({ status }) => status).toSorted(), [201, 403, 403, 403]);
  });

  await t.test('bytes count for each environment, in whatever command they come', async (t) => {
    const keys = Array.from({ length: 1_100 }, (_, nth) => `customer-${nth}-of-this-shop`);
    const segment = (
      await service.get<{ items: { key: string }[] }>('/projects/shop/segments', {
        credential,
      })
    ).body.items[0];
    const add = (part: readonly string[]) =>
      post(`/projects/shop/segments/${segment?.key ?? ''}/keys/add`, { included: part });
    t.match(await add(keys), { status: 200 });
    isRefused(t, await add(keys.map((key) => `2${key}`)), 'bytes', { limit: BYTES });
    const targets = `${FLAGS}/checkout/environments/production/targets`;
    const body = { targets: [{ variant: 'on', keys }] };
    isRefused(t, await service.put(targets, { credential, body }), 'bytes');
    isRefused(t, await post('/projects/shop/environments', { key: 'second' }), 'bytes');
  });

  await t.test('over the quota small changes, reading and deleting work', async (t) => {
    const place = `${FLAGS}/checkout/environments/production`;
    for (const [method, path, body] of [
      ['POST', `${place}/enable`, undefined],
      ['POST', `${place}/disable`, undefined],
      ['PUT', `${place}/fallthrough`, { variant: 'on' }],
      ['POST', `${FLAGS}/checkout/archive`, undefined],
    ] as const)
      t.match(
        await service.send(method, `/api/v1${path}`, { credential, ...(body && { body }) }),
        { status: 200 },
        path,
      );
  });

  await t.test('usage tells all of it', async (t) => {
    const told = await usage();
    t.match(told, {
      projects: { used: 2, limit: 2 },
      members: { used: 3, limit: 3 },
      tokens: { used: 2, limit: 2 },
      keys: { used: 2, limit: 2 },
      bytes: { limit: BYTES },
    });
    const shop = told.byProject.find(({ project }) => project === 'shop');
    t.match(shop, { flags: { used: 5, limit: 5 }, segments: { used: 2, limit: 2 } });
  });

  await t.test('another organization has its own, and all together one', async (t) => {
    const other = await organization('Other');
    t.match((await other.usage()).bytes, { used: 0 });
    t.match(await other.post(FLAGS, newFlag('first')), { status: 201 });
    const keys = Array.from({ length: 1_000 }, (_, nth) => `customer-${nth}-${'x'.repeat(30)}`);
    t.match(await other.post('/projects/shop/segments', { key: 's', included: keys }), {
      status: 201,
    });
    const third = await organization('Third');
    isRefused(
      t,
      await third.post('/projects/shop/segments', { key: 's', included: keys }),
      'installation',
    );
  });

  await t.test('a process that starts when all is used up works', async (t) => {
    const another = await service.startAnother();
    t.match(await another.get(FLAGS, { credential }), { status: 200 });
    isRefused(t, await another.post(FLAGS, { credential, body: newFlag('late') }), 'flags');
    const enable = `${FLAGS}/b-1/environments/production/enable`;
    const flags = (await service.get<{ items: { key: string }[] }>(FLAGS, { credential })).body;
    const [flag] = flags.items;
    t.match(await another.post(enable.replace('b-1', flag?.key ?? ''), { credential }), {
      status: 200,
    });
  });
});
