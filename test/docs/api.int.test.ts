import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { type ApiDocument, operationsOf } from '../support/openapi.js';
import { testService } from '../support/service.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const pageOf = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');
const page = pageOf('api.md');

const rows = [
  ...page.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) +\| `([^`]+)` +\| (.+?) +\|$/gm),
].map(([, method = '', path = '', what = '']) => `${method} ${path} ${what}`);

const examplesOf = (name: string): readonly string[] =>
  [...pageOf(name).matchAll(/^```sh\n(curl[\s\S]+?)```$/gm)].flatMap(([, block = '']) =>
    block.split(/\n(?=curl)/),
  );

const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

const skip = hasCurl ? false : 'there is no curl here';

/** Runs the examples of a page in a shell, one after the other; each must succeed. */
const runExamples = async (
  t: Test,
  name: string,
  { cwd, env }: Readonly<{ cwd: string; env: Readonly<Record<string, string>> }>,
): Promise<void> => {
  const examples = examplesOf(name);
  t.ok(examples.length > 5);
  for (const example of examples) {
    const command = example.replace('curl -sS', 'curl -sS --max-time 10 --fail-with-body');
    const failure = await run('sh', ['-c', command], { cwd, env: { ...process.env, ...env } }).then(
      () => '',
      (error: unknown) => `failed: ${String((error as { stdout: unknown }).stdout)}`,
    );
    t.equal(failure, '', example.split('\n', 1).join());
  }
};

test('the pages about the API', async (t) => {
  const service = await testService(t);
  const { url: URL, credential: CREDENTIAL, serverKey: KEY } = service;

  await t.test('docs/api.md lists every route, with what it is for, and no other', async (t) => {
    const { body } = await service.send<ApiDocument>('GET', '/openapi.json');
    const routes = operationsOf(body).map(
      ({ method, path, operation }) =>
        `${method} ${path.replace('/api/v1', '')} ${operation.summary}`,
    );
    t.strictSame(rows.toSorted(), routes.toSorted());
  });

  await t.test('the examples of docs/api.md work', { skip }, async (t) => {
    await runExamples(t, 'api.md', { cwd: ROOT, env: { URL, CREDENTIAL, KEY } });
  });

  await t.test('the examples of docs/audit.md work', { skip }, async (t) => {
    const { body } = await service.get<{ items: readonly { position: number }[] }>(
      '/audit?limit=1&order=asc',
    );
    const POSITION = String(body.items[0]?.position);
    await runExamples(t, 'audit.md', { cwd: t.testdir(), env: { URL, CREDENTIAL, POSITION } });
  });
});
