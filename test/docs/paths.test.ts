import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';

const ROOT = new URL('../../', import.meta.url);
const DOCS = new URL('docs/', ROOT);

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** `src/…`, `test/…` and the like. */
const PATHS = /(?<![\w./-])(?:src|test|bench|docs|ops|scripts|examples)\/[\w./-]*[\w/]/g;

/** Links to files, from the folder of the page. */
const LINKS = /\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g;

const missingIn = (page: string): readonly string[] => {
  const text = readFileSync(new URL(page, ROOT), 'utf8');
  const paths = [...text.matchAll(PATHS)].map(([path]) => new URL(path, ROOT));
  const links = [...text.matchAll(LINKS)].map(([, to = '']) => new URL(to, new URL(page, ROOT)));
  return [...paths, ...links].filter((url) => !existsSync(url)).map(({ pathname }) => pathname);
};

test('every file that the documentation names is there', async (t) => {
  t.plan(pages.length);
  for (const page of pages) t.strictSame(missingIn(page), [], page);
});
