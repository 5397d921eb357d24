import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { type Checkpoint } from '../../src/domain/audit/checkpoint.js';
import { type EventProof } from '../../src/queries/trail/prove-event.js';
import { type FullVerification } from '../../src/queries/trail/verify-trail.js';
import { testService } from '../support/service.js';
import { tcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const page = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');
const [, script = ''] = /^```js\n([\s\S]+?)```$/m.exec(page) ?? [];

const holds = {
  integrity: { verdict: 'holds', found: 0, first: null },
  completeness: { verdict: 'holds', found: 0, first: null },
  checkpoint: { reproduction: 'reproduced' },
  readModel: { found: 0 },
  stores: { readModel: { differences: [] }, redis: [] },
};

test('the trail is proven over HTTP', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-trail-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const posted: Checkpoint[] = [];
  let refusals = 1;
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.statusCode = refusals > 0 ? 503 : 204;
      if (refusals === 0) posted.push(JSON.parse(Buffer.concat(chunks).toString()) as Checkpoint);
      refusals = 0;
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    receiver.close();
    receiver.closeAllConnections();
  });
  const file = join(folder, 'checkpoints.ndjson');
  const service = await testService(t, {
    AUDIT_CHECKPOINT_EVENTS: '3',
    AUDIT_CHECKPOINT_FILE: file,
    AUDIT_CHECKPOINT_WEBHOOK: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`,
  });
  const changed = await service.patch<{ position: number }>('/projects/demo', {
    body: { name: 'Demonstration' },
  });
  const { position } = changed.body;
  await service.get('/projects/demo', { headers: { 'x-min-position': String(position) } });
  const { body: checkpoint } = await service.post<Checkpoint>('/audit/checkpoints');

  await t.test('a checkpoint is signed on demand, and only when there is news', async (t) => {
    t.equal(checkpoint.statement.position, position);
    t.strictSame((await service.post('/audit/checkpoints')).body, checkpoint);
    t.strictSame((await service.get('/audit/checkpoints/latest')).body, checkpoint);
    const { body } = await service.get<{ items: Checkpoint[] }>('/audit/checkpoints');
    t.strictSame(body.items.at(-1), checkpoint);
    const counts = body.items.map(({ statement }) => statement.count);
    t.strictSame(
      [0, ...counts.slice(0, -1)],
      body.items.map(({ statement }) => statement.from),
    );
  });

  await t.test(
    'the log is verified against the latest checkpoint, or one that is sent',
    async (t) => {
      t.match(await service.get<FullVerification>('/audit/verify'), { status: 200, body: holds });
      t.match(await service.post('/audit/verify', { body: checkpoint }), {
        status: 200,
        body: { ...holds, checkpoint: { signature: checkpoint.signature } },
      });
      const { statement, signature } = checkpoint;
      const forged = { statement: { ...statement, count: statement.count + 1 }, signature };
      t.match(await service.post('/audit/verify', { body: forged }), {
        status: 422,
        body: { type: 'urn:chronoflag:problem:invalid-checkpoint' },
      });
    },
  );

  await t.test('it is verified without Redis too', async (t) => {
    const redis = await tcpProxy(t, service.environment['REDIS_URL'] ?? '');
    const deaf = await service.startAnother({ REDIS_URL: redis.url });
    const notCompared = { stores: { readModel: { differences: [] }, redis: null } };
    redis.refuse();
    t.match(await deaf.get('/audit/verify'), { status: 200, body: notCompared });
    redis.resume();
    redis.freeze();
    t.match(await deaf.get('/audit/verify'), { status: 200, body: notCompared }, 'it is silent');
    await deaf.stop();
  });

  await t.test('checkpoints are brought outside, also after a refusal', async (t) => {
    const isLatest = (one: Checkpoint | undefined) => one?.signature === checkpoint.signature;
    await until('the checkpoint is posted', () => isLatest(posted.at(-1)));
    const { body } = await service.get<{ items: Checkpoint[] }>('/audit/checkpoints');
    t.strictSame(posted, body.items);
    const filed = readFileSync(file, 'utf8').trim().split('\n');
    t.strictSame(
      filed.map((line) => JSON.parse(line) as Checkpoint),
      body.items,
    );
    const done = { delivered: body.items.length, waiting: 0, lastAt: /^\d{4}-/ };
    const told = { delivery: { file: done, webhook: done } };
    const ask = async () => (await service.get<{ delivery: object }>('/audit/checkpoints')).body;
    await until('it is noted', async () => !/"waiting":[1-9]/.test(JSON.stringify(await ask())));
    t.match(await ask(), told, 'what is done is told');
    const { text: metrics } = await service.send('GET', '/metrics');
    t.match(metrics, /chronoflag_audit_checkpoints_waiting\{place="webhook"\} 0/);
    const { body: readiness } = await service.send<{ parts: object[] }>('GET', '/ready');
    t.has(readiness.parts.at(-2), { name: 'checkpoints', isReady: true });
  });

  await t.test('the script of docs/audit.md checks the proof of an event', async (t) => {
    const { body: proof } = await service.get<EventProof>(`/audit/events/${position}/proof`);
    const { body: key } = await service.get<{ publicKey: string }>('/audit/public-key');
    writeFileSync(join(folder, 'check-proof.mjs'), script);
    writeFileSync(join(folder, 'public-key.pem'), key.publicKey);
    const check = (altered: object) => {
      writeFileSync(join(folder, 'proof.json'), JSON.stringify(altered));
      const args = ['check-proof.mjs', 'proof.json', 'public-key.pem'];
      const { status, stdout } = spawnSync(process.execPath, args, {
        cwd: folder,
        encoding: 'utf8',
      });
      return `${status} ${stdout.trim()}`;
    };
    t.match(check(proof), /^0 proven: ProjectDetailsChanged of /);
    const event = { ...proof.event, data: { name: 'Another', description: '' } };
    const { statement } = proof.checkpoint;
    const restated = {
      ...proof.checkpoint,
      statement: { ...statement, at: '2026-01-01T00:00:00Z' },
    };
    t.equal(check({ ...proof, event }), '1 NOT PROVEN');
    t.equal(check({ ...proof, index: proof.index + 1 }), '1 NOT PROVEN');
    t.equal(check({ ...proof, checkpoint: restated }), '1 NOT PROVEN');
    t.ok(script.split('\n').length <= 40);
  });

  await t.test('what is not there or not signed has no proof', async (t) => {
    t.match(await service.get('/audit/events/999999999/proof'), {
      status: 404,
      body: { type: 'urn:chronoflag:problem:event-not-found' },
    });
  });
});
