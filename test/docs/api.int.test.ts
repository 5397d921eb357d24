import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';
import { type ApiDocument, operationsOf } from '../support/openapi.js';
import { testService } from '../support/service.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

const rows = [
  ...page.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) +\| `([^`]+)` +\| (.+?) +\|$/gm),
].map(([, method = '', path = '', what = '']) => `${method} ${path} ${what}`);

const examples = [...page.matchAll(/^```sh\n([\s\S]+?)```$/gm)].flatMap(([, block = '']) =>
  block.split(/\n(?=curl)/),
);

const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

test('docs/api.md', async (t) => {
  const service = await testService(t);

  await t.test('lists every route, with what it is for, and no other', async (t) => {
    const { body } = await service.send<ApiDocument>('GET', '/openapi.json');
    const routes = operationsOf(body).map(
      ({ method, path, operation }) =>
        `${method} ${path.replace('/api/v1', '')} ${operation.summary}`,
    );
    t.strictSame(rows.toSorted(), routes.toSorted());
  });

  const skip = hasCurl ? false : 'there is no curl here';
  await t.test('its examples work, one after the other', { skip }, async (t) => {
    const env = {
      ...process.env,
      URL: service.url,
      CREDENTIAL: service.credential,
      KEY: service.serverKey,
    };
    t.ok(examples.length > 10);
    for (const example of examples) {
      const command = example.replace('curl -sS', 'curl -sS --max-time 10 --fail-with-body');
      const ended = await run('sh', ['-c', command], { cwd: ROOT, env }).then(
        ({ stdout }) => ({ stdout, failure: '' }),
        (error: unknown) => ({
          stdout: '',
          failure: String((error as { stdout: unknown }).stdout),
        }),
      );
      t.match(ended, { stdout: /./, failure: '' }, example.split('\n', 1).join());
    }
  });
});
