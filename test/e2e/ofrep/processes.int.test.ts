import { EventSource } from 'eventsource';
import { test } from 'tap';
import { issueKey, setVariant } from '../../support/ofrep-flags.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

type Bulk = Readonly<{ eventStreams: readonly [{ endpoint: { requestUri: string } }] }>;

const BULK = '/ofrep/v1/evaluate/flags';

test('two processes', async (t) => {
  const service = await testService(t);
  await service.post('/projects/demo/flags', {
    body: {
      key: 'f',
      type: 'string',
      variants: [
        { name: 'v0', value: 'x' },
        { name: 'v1', value: 'y' },
      ],
    },
  });
  await service.post('/projects/demo/flags/f/environments/production/enable');
  const other = await service.startAnother();
  const statusAt = async (at: Pick<typeof other, 'send'>, credential: string): Promise<number> =>
    (await at.send('POST', BULK, { credential, body: {} })).status;

  await t.test(
    'a key that one issues the other knows, and forgets when it is revoked',
    async (t) => {
      const { key, keyId } = await issueKey(service, 'client');
      t.equal(await statusAt(service, key), 200, 'at once where it was issued');
      const issued = performance.now();
      await until('the other knows it', async () => (await statusAt(other, key)) === 200);
      t.comment(`known after ${Math.round(performance.now() - issued)} ms`);
      await other.post(`/projects/demo/environments/production/keys/${keyId}/revoke`);
      t.equal(await statusAt(other, key), 401, 'at once where it was revoked');
      const revoked = performance.now();
      await until('the first refuses it', async () => (await statusAt(service, key)) === 401);
      t.comment(`refused after ${Math.round(performance.now() - revoked)} ms`);
    },
  );

  await t.test('a stream of one process is opened with a token of the other', async (t) => {
    const { key } = await issueKey(service, 'client');
    await until('both know the key', async () => (await statusAt(other, key)) === 200);
    const { body } = await service.send<Bulk>('POST', BULK, { credential: key, body: {} });
    const stream = new EventSource(other.url + body.eventStreams[0].endpoint.requestUri);
    t.teardown(() => {
      stream.close();
    });
    const told: { id: number; etag: string }[] = [];
    stream.addEventListener('message', ({ data, lastEventId }) => {
      const { etag } = JSON.parse(String(data)) as { etag: string };
      told.push({ id: Number(lastEventId), etag });
    });
    await new Promise((resolve) => {
      stream.addEventListener('open', resolve);
    });
    const position = await setVariant(service, 'f', 'v1');
    await until('it is told', () => told.some(({ id }) => id >= position));
    const { etag = '' } = told.find(({ id }) => id >= position) ?? {};
    const [ours, theirs] = await Promise.all(
      [service, other].map((at) =>
        at.send('POST', `${BULK}?flagConfigEtag=${etag}`, { credential: key, body: {} }),
      ),
    );
    t.equal(ours?.text, theirs?.text, 'both answer what was told of');
    t.match(ours?.text, /"value":"y"/);
  });

  await t.test('a process that stops ends its streams at once', async (t) => {
    const { body } = await service.send<Bulk>('POST', BULK, {
      credential: service.serverKey,
      body: {},
    });
    const answer = await fetch(other.url + body.eventStreams[0].endpoint.requestUri);
    const began = performance.now();
    await other.stop();
    await t.resolves(answer.text(), 'its client sees the end');
    t.comment(`stopped in ${Math.round(performance.now() - began)} ms`);
  });
});
