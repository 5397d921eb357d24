import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { isProblemCode, PROBLEMS } from '../../src/api/http/problem.js';

const SOURCES = new URL('../../src/', import.meta.url);
const TABLE = 'api/problem.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

const described = [
  ...page.matchAll(/^\| `([a-z0-9-]+)` *\| (\d{3}) *\| (.+?) *\| (.+?) *\|$/gm),
].map(([, code = '', status, meaning = '', remedy = '']) => ({
  code,
  status: Number(status),
  meaning,
  remedy,
}));

const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== TABLE)
  .map((file) => readFileSync(new URL(file, SOURCES), 'utf8'));

test('docs/errors.md has every code with its status, in the order of the table', async (t) => {
  t.strictSame(
    described.map(({ code, status }) => [code, status]),
    Object.entries(PROBLEMS).map(([code, [status]]) => [code, status]),
  );
});

test('docs/errors.md says of every code what it means and what to do', async (t) => {
  t.plan(described.length);
  for (const { code, meaning, remedy } of described)
    t.match([meaning, remedy], [/^[A-Z`].{10,}\.$/, /^[A-Z`].{3,}\.$/], code);
});

test('every code that is thrown is in the table', async (t) => {
  const thrown = sources.flatMap((text) =>
    [...text.matchAll(/DomainError\(\s*'([^']+)'/g)].map(([, code = '']) => code),
  );
  t.ok(thrown.length > 40);
  t.strictSame([...new Set(thrown.filter((code) => !isProblemCode(code)))], []);
});

test('no refusal has a code that is worked out', async (t) => {
  const hidden = sources.filter((text) => /new DomainError\(\s*[^'\s]/.test(text));
  t.strictSame(hidden, []);
});

test('every code of the table is used', async (t) => {
  const unused = Object.keys(PROBLEMS).filter(
    (code) => !sources.some((text) => text.includes(`'${code}'`)),
  );
  t.strictSame(unused, []);
});
