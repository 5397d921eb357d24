import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { runProgram } from '../support/programs.js';
import { until } from '../support/until.js';
import { FLAGS, startScenario } from './support/scenario.js';
import { type Answer } from './support/service.js';

const checkpoint = 'audit/checkpoints';

test('an event store that was restored from a back-up older than Postgres', async (t) => {
  const { servers, service, client } = await startScenario(t);
  const store = servers.eventStore.process;
  const files = join(servers.folder, 'event-store');
  const backUp = join(servers.folder, 'back-up');
  const rebuild = (...options: readonly string[]) =>
    runProgram(service.environment, 'cli/projections', 'rebuild', ...options);
  const flag = (key: string): Promise<Answer> =>
    client.send('GET', `/api/v1/projects/demo/flags/${key}`);
  const positionOf = ({ body }: Answer): string => String(body['position']);

  await client.send('POST', `/api/v1/${checkpoint}`);
  await service.stop();
  await store.stop();
  cpSync(files, backUp, { recursive: true });
  await store.start();
  await service.start();

  const [first = '', second = ''] = FLAGS;
  const disabled = await client.send(
    'POST',
    `/api/v1/projects/demo/flags/${first}/environments/production/disable`,
  );
  t.equal(disabled.status, 200);
  const key = 'one-key-for-a-lost-command';
  const archive = () =>
    client.send('POST', `/api/v1/projects/demo/flags/${second}/archive`, {
      'idempotency-key': key,
    });
  const made = await client.createFlag('lost');
  t.equal(made.status, 200);
  const archived = await archive();
  t.equal(archived.status, 200);
  await until('all of it is served', async () => {
    const read = await client.send('GET', '/api/v1/projects/demo/flags/lost', {
      'x-min-position': positionOf(archived),
    });
    return read.status === 200;
  });
  t.ok((await client.send('POST', `/api/v1/${checkpoint}`)).status < 300);

  await t.test('a process that runs says so, and writes nothing', async (t) => {
    await store.stop();
    rmSync(files, { recursive: true });
    cpSync(backUp, files, { recursive: true });
    await store.start();
    await until('it is noticed', async () => (await service.part('event-log'))?.isReady === false);
    t.strictSame((await service.part('event-log'))?.details, {}, 'strangers learn which part');
    const refused = await client.createFlag('too-late');
    t.equal(refused.status, 503);
    t.match(service.output(), /was restored from an older back-up/);
    t.equal((await client.evaluate(first)).status, 200, 'it evaluates');
    await service.stop();
  });

  await t.test('no process starts on it, and a program says what to do', async (t) => {
    await t.rejects(service.start(), /restored from an older back-up.*rebuild/s);
    t.match(
      await runProgram(service.environment, 'cli/projections', 'status'),
      /restored from an older back-up/,
    );
  });

  await t.test('a rebuild lists what is lost and changes nothing', async (t) => {
    const listed = await rebuild();
    t.match(listed, /^1\n/);
    t.match(listed, /FlagCreated by \S+, event 0 of 'flag-default:demo:lost'/);
    t.match(listed, /FlagDisabled/);
    t.match(listed, /--accept-loss` goes on/);
    await t.rejects(service.start(), /restored from an older back-up/);
  });

  await t.test('with --accept-loss it goes on without', async (t) => {
    const accepted = await rebuild('--accept-loss');
    t.match(accepted, /^0\n/, accepted);
    t.match(accepted, /1 signed checkpoints over lost events are set aside/);
    t.notOk(existsSync(join(service.dataDirectory, 'rulesets.jsonl')));
    await service.start();
    await service.untilReady();
    t.equal((await flag('lost')).status, 404);
    await until('what is served is what the log has', async () => {
      const { body } = await client.evaluate(first);
      return body['variant'] === 'v0' && body['reason'] !== 'DISABLED';
    });
    t.equal((await client.evaluate('lost')).body['errorCode'], 'FLAG_NOT_FOUND');
    t.match(await runProgram(service.environment, 'cli/verify'), /^0\n/);
  });

  await t.test('and everything works from there', async (t) => {
    const again = await archive();
    t.match(again, { status: 200, body: { result: 'recorded' } }, 'its key is free again');
    const created = await client.createFlag('after');
    t.equal(created.status, 200);
    const read = await client.send('GET', '/api/v1/projects/demo/flags/after', {
      'x-min-position': positionOf(created),
    });
    t.equal(read.status, 200);
    t.ok((await client.send('POST', `/api/v1/${checkpoint}`)).status < 300, 'it signs');
    const verified = await client.send('GET', '/api/v1/audit/verify');
    t.match(
      verified.body,
      { integrity: { verdict: 'holds' }, completeness: { verdict: 'holds' } },
      JSON.stringify(verified.body),
    );
    await service.untilReady();
  });
});
