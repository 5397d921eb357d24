import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { type Checkpoint } from '../../../src/domain/audit/checkpoint.js';
import { startEventStore } from '../../../src/embedded/event-store/start.js';
import { forgeLog } from '../../support/forged-log.js';
import { runProgram, runVerify } from '../../support/programs.js';
import { testService } from '../../support/service.js';

type Environment = Readonly<Record<string, string>>;

const verify = (environment: Environment, ...args: readonly string[]): Promise<string> =>
  runProgram(environment, 'cli/verify', ...args);

test('npm run verify', async (t) => {
  const service = await testService(t);
  const { environment } = service;
  const logFolder = join(environment['DATA_DIRECTORY'] ?? '', 'log');
  const kept = join(environment['DATA_DIRECTORY'] ?? '', 'kept.json');
  const { body: changed } = await service.patch<{ position: number }>('/projects/demo', {
    body: { name: 'Demonstration' },
  });
  const headers = { 'x-min-position': String(changed.position) };
  await service.get('/projects/demo', { headers });

  await t.test('without a checkpoint it ends with 3: nothing is proven', async (t) => {
    const told = await verify(environment);
    t.match(told, /^3\n/);
    t.match(told, /integrity: unproven/);
  });

  const { body: checkpoint } = await service.post<Checkpoint>('/audit/checkpoints');
  writeFileSync(kept, JSON.stringify(checkpoint));

  await t.test('with one, its own or one that was kept, it ends with 0', async (t) => {
    const told = await verify(environment);
    t.match(told, /^0\n/, told);
    t.match(told, /integrity: holds[^]*completeness: holds[^]*Redis and read model: agrees/);
    t.match(await verify(environment, '--checkpoint', kept), /^0\n[^]*reproduced/);
  });

  await t.test('it tells how far it is', async (t) => {
    const told: string[] = [];
    await runVerify(environment, { onProgress: (text) => told.push(text) });
    t.match(told, [
      /^organization default: [1-9]\d* events so far$/,
      /^organization default: [1-9]\d* streams so far$/,
    ]);
  });

  await t.test('it ends with 2 and says how it is used', async (t) => {
    t.match(await verify(environment, '--wrong'), /^2\nnpm run verify/);
  });

  await t.test(
    'a checkpoint that is not ours ends with 1, what cannot be read with 2',
    async (t) => {
      const { statement, signature } = checkpoint;
      const forged = join(environment['DATA_DIRECTORY'] ?? '', 'forged.json');
      writeFileSync(forged, JSON.stringify({ statement: { ...statement, count: 1 }, signature }));
      t.match(await verify(environment, '--checkpoint', forged), /^1\nverify: .* signed this/);
      t.match(await verify(environment, '--checkpoint', '/no/such/file'), /^2\nverify: /);
    },
  );

  await t.test(
    'of a log that was forged it names the first bad event, and ends with 1',
    async (t) => {
      await service.stop();
      forgeLog(logFolder, (events) =>
        events.map((event) => {
          if (event.type !== 'ProjectDetailsChanged') return event;
          const data = event.data.toString().replace('Demonstration', 'Demonstratiom');
          return { ...event, data: Buffer.from(data) };
        }),
      );
      const store = await startEventStore({ folder: logFolder, port: 0 });
      t.teardown(store.close);
      const forged = { ...environment, EVENTSTORE_URL: store.url };
      const told = await verify(forged, '--checkpoint', kept);
      t.match(told, /^1\n/, told);
      const place = `position ${changed.position}, revision \\d+ of project-default:demo`;
      t.match(
        told,
        new RegExp(`integrity: broken.*\\n  first: altered ProjectDetailsChanged, ${place}`),
      );
      t.match(told, /completeness: holds/);
    },
  );
});
