import { test } from 'tap';
import { type FullVerification } from '../../../src/queries/trail/verify-trail.js';
import { keepSecret } from '../../support/canary.js';
import { type HttpClient } from '../../support/http-client.js';
import { testService } from '../../support/service.js';
import { holders } from '../../support/stores.js';
import { until } from '../../support/until.js';

const PERSON = 'ida.quagga@example.com';
const PLACE = '/projects/demo/flags/raced/environments/production';

test('whoever is erased while commands name them is not made anew by one', async (t) => {
  keepSecret(PERSON);
  const service = await testService(t);
  const another = await service.startAnother();
  await service.post('/projects/demo/flags', { body: { key: 'raced', type: 'boolean' } });
  const add = (on: HttpClient, keys: readonly string[]) =>
    on.post(`${PLACE}/targets/add`, { body: { variant: 'on', keys } });
  const remove = (on: HttpClient) =>
    on.post(`${PLACE}/targets/remove`, { body: { keys: [PERSON] } });
  await add(service, [PERSON]);
  await until('the person is known', async () => (await holders(service, PERSON)).length > 0);

  let isOver = false;
  const told = new Set<number>();
  const goOn = async (on: HttpClient): Promise<void> => {
    for (let nth = 0; !isOver; nth += 1) {
      const answers = [await add(on, [PERSON, `other-${nth}`]), await remove(on)];
      for (const { status } of answers) told.add(status);
    }
  };
  const writing = [goOn(service), goOn(another)];
  const erased = await service.post('/personal-data/erase', { body: { value: PERSON } });
  t.match(erased, { status: 200, body: { result: 'erased' } });
  await until('both processes refuse the person', async () => {
    const answers = [await add(service, [PERSON]), await add(another, [PERSON])];
    return answers.every(({ status }) => status === 409);
  });
  isOver = true;
  await Promise.all(writing);

  t.strictSame(
    [...told].filter((status) => status !== 200 && status !== 409),
    [],
  );
  await until('nothing has the value', async () => (await holders(service, PERSON)).length === 0);
  await until('all stores agree', async () => {
    const { body } = await service.get<FullVerification>('/audit/verify');
    const { integrity, completeness, stores } = body;
    const found = [integrity.found, completeness.found, stores.readModel.differences.length];
    return found.every((count) => count === 0) && stores.redis?.differences.length === 0;
  });
});
