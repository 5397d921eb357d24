import { test } from 'tap';
import { registerOrganization } from '../../support/organizations.js';
import { until } from '../../support/until.js';
import { testService, type TestService } from '../../support/service.js';

const STORM = 200;

/** An organization with a project and a flag; each request on a connection of its own when others are busy. */
const tenant = async (service: TestService, name: string) => {
  const { credential } = await registerOrganization(service, name);
  const send = async (method: string, path: string, body: object = {}) => {
    const authorization = `Bearer ${credential}`;
    const answer = await fetch(`${service.url}/api/v1${path}`, {
      method,
      headers: { authorization, ...(method !== 'GET' && { 'content-type': 'application/json' }) },
      ...(method !== 'GET' && { body: JSON.stringify(body) }),
    });
    await answer.text();
    return answer;
  };
  await send('POST', '/projects', { key: 'shop', environments: [{ key: 'production' }] });
  await send('POST', '/projects/shop/flags', { key: 'checkout', type: 'boolean' });
  return send;
};

type Send = Awaited<ReturnType<typeof tenant>>;

/** How many of a storm's requests were answered when each of some later ones of somebody else was. */
const passedBy = async (
  storm: (nth: number) => ReturnType<Send>,
  quiet: () => ReturnType<Send>,
) => {
  let answered = 0;
  const statuses = new Set<number>();
  const all = Array.from({ length: STORM }, async (_, nth) => {
    statuses.add((await storm(nth)).status);
    answered += 1;
  });
  const counts: number[] = [];
  await until('the storm is under way', () => answered > 5);
  for (let nth = 0; nth < 5; nth += 1) {
    const before = answered;
    statuses.add((await quiet()).status);
    counts.push(answered - before);
  }
  await Promise.all(all);
  return { counts, statuses };
};

test('one organization does not wait behind the requests of another', async (t) => {
  const service = await testService(t);
  const [storm, quiet] = [await tenant(service, 'Storm'), await tenant(service, 'Quiet')];
  const checkout = '/projects/shop/flags/checkout';
  const rename = (send: Send, name: string) => send('PATCH', checkout, { name });

  await t.test('commands', async (t) => {
    const { counts, statuses } = await passedBy(
      (nth) => storm('POST', '/projects/shop/flags', { key: `made-${nth}`, type: 'boolean' }),
      () => rename(quiet, `Checkout ${Math.random()}`),
    );
    t.strictSame([...statuses].toSorted(), [200, 201], 'nobody is refused');
    t.ok(Math.max(...counts) < STORM / 4, `answered to the other meanwhile: ${counts.join(', ')}`);
  });

  await t.test('queries', async (t) => {
    const { counts, statuses } = await passedBy(
      (nth) => storm('GET', `/projects/shop/flags/made-${nth}/history?limit=5`),
      () => quiet('GET', `${checkout}/history?limit=5`),
    );
    t.strictSame([...statuses], [200], 'nobody is refused');
    t.ok(Math.max(...counts) < STORM / 4, `answered to the other meanwhile: ${counts.join(', ')}`);
  });
});
