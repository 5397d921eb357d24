// npm run score      the part of the style rubric that can be counted: files, folders, imports, routes, escapes
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { root } from './bootstrap.mjs';

const SOURCE = join(root, 'src');
const METHODS = new Set(['get', 'put', 'post', 'patch', 'delete', 'head', 'options', 'route']);

const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const sources = new Map(
  files.map((file) => {
    const text = readFileSync(file, 'utf8');
    return [file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)];
  }),
);

/** Every node of a file, each before what is in it. */
function* nodesOf(node) {
  yield node;
  for (const child of node.getChildren()) yield* nodesOf(child);
}

const importedBy = (file, source) =>
  source.statements
    .filter(
      (one) => (ts.isImportDeclaration(one) || ts.isExportDeclaration(one)) && one.moduleSpecifier,
    )
    .map((one) => one.moduleSpecifier.text)
    .filter((path) => path.startsWith('.'))
    .map((path) => resolve(dirname(file), path.replace(/\.js$/, '.ts')));

const importers = new Map(files.map((file) => [file, new Set()]));
for (const [file, source] of sources)
  for (const target of importedBy(file, source)) importers.get(target)?.add(file);

const linesOf = (source) => source.text.split('\n').filter((line) => line.trim() !== '').length;
const isComment = (line) => /^\s*(\/\/|\/\*|\*)/.test(line);
const lines = new Map([...sources].map(([file, source]) => [file, linesOf(source)]));
const sorted = [...lines.values()].sort((one, two) => one - two);
const percentile = (share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
const allLines = [...sources.values()]
  .flatMap(({ text }) => text.split('\n'))
  .filter((line) => line.trim());

const folders =
  Map.groupBy?.(files, dirname) ??
  files.reduce(
    (map, file) => map.set(dirname(file), [...(map.get(dirname(file)) ?? []), file]),
    new Map(),
  );
const depthOf = (file) => relative(SOURCE, dirname(file)).split('/').filter(Boolean).length;

const isCallOf = (node, isName) =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && isName(node.expression.text);

/** A route that is declared on Fastify itself. */
const isOwnRoute = (node) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  METHODS.has(node.expression.name.text) &&
  ts.isIdentifier(node.expression.expression) &&
  node.expression.expression.text === 'app';

/** What `router` (src/api/http/route.ts) and those that are made of it gave a file: each of its calls is a route with a schema. */
const declarersIn = (source) =>
  new Set(
    [...nodesOf(source)]
      .filter(
        (node) =>
          ts.isVariableDeclaration(node) &&
          node.initializer !== undefined &&
          isCallOf(node.initializer, (name) => /^(r|\w+R)outer$/.test(name)),
      )
      .map((node) => node.name.getText()),
  );
const isDeclarer = (file) => /src\/api\/http\/(route|query-route|send-command)\.ts$/.test(file);
const routesOf = ([file, source]) => {
  if (isDeclarer(file)) return [];
  const declarers = declarersIn(source);
  return [...nodesOf(source)].flatMap((node) => {
    if (isCallOf(node, (name) => declarers.has(name))) return [{ hasSchema: true }];
    return isOwnRoute(node) ? [{ hasSchema: /\bschema\b/.test(node.getText()) }] : [];
  });
};
const routes = [...sources].flatMap(routesOf);
const withoutSchema = routes.filter(({ hasSchema }) => !hasSchema);

const inAdapters = (file) => /src\/(infrastructure|embedded)\//.test(file);
const countOf = (matches) =>
  [...sources].flatMap(([file, source]) =>
    [...nodesOf(source)].filter((node) => matches(node, file)).map(() => file),
  ).length;
const escapes = {
  any: countOf((node) => node.kind === ts.SyntaxKind.AnyKeyword),
  '!': countOf((node) => ts.isNonNullExpression(node)),
  'as unknown as, outside adapters': countOf(
    (node, file) =>
      ts.isAsExpression(node) &&
      ts.isAsExpression(node.expression) &&
      node.expression.type.kind === ts.SyntaxKind.UnknownKeyword &&
      !inAdapters(file),
  ),
  TODO: allLines.filter((line) => /\b(TODO|FIXME)\b/.test(line)).length,
  'lint disables': allLines.filter((line) => /eslint-disable|@ts-(ignore|expect-error)/.test(line))
    .length,
};

const cruise = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
    ...['src', 'test', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
  ],
  { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
);
const violations = JSON.parse(cruise.stdout).summary.violations.length;

const single = files.filter((file) => importers.get(file).size === 1);
const rows = {
  'files in src': files.length,
  folders: folders.size,
  'folders with one file': [...folders.values()].filter((inside) => inside.length === 1).length,
  'folders with more than 16': [...folders.values()].filter((inside) => inside.length > 16).length,
  'deepest folder': Math.max(...files.map(depthOf)),
  'files four folders deep': files.filter((file) => depthOf(file) >= 4).length,
  'lines (not blank)': allLines.length,
  'comments, % of lines':
    Math.round((allLines.filter(isComment).length / allLines.length) * 1000) / 10,
  'lines of a file: p10, p50, p90, most': [0.1, 0.5, 0.9, 1].map(percentile).join(', '),
  'files of at most 30 lines': files.filter((file) => lines.get(file) <= 30).length,
  'files with one importer': single.length,
  'of at most 30 lines with one importer': single.filter((file) => lines.get(file) <= 30).length,
  'import rules broken': violations,
  routes: routes.length,
  'routes without a schema': withoutSchema.length,
  ...Object.fromEntries(
    Object.entries(escapes).map(([name, count]) => [`escapes: ${name}`, count]),
  ),
};
const width = Math.max(...Object.keys(rows).map((name) => name.length));
for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(width)}  ${value}`);
