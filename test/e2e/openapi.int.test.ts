import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'tap';
import { type ApiDocument, operationsOf } from '../support/openapi.js';
import { sourceTexts } from '../support/source-texts.js';
import { testService } from '../support/service.js';

const PUBLIC = [
  /^\/health$/,
  /^\/ready$/,
  /^\/\.well-known\/jwks\.json$/,
  /^\/api\/v1\/auth\/(login|refresh|oidc\/start|oidc\/callback)$/,
  /^\/api\/v1\/organizations$/,
  /^\/api\/v1\/invitations\/accept(\.js)?$/,
];

/** These also take the keys of applications. */
const EVALUATION = /\/evaluate(\/\{flag\})?$|^\/ofrep\/v1\/evaluate\//;
const BY_KEY = [{ credential: [] }, { apiKey: [] }];

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

test('the OpenAPI document', async (t) => {
  const service = await testService(t);
  const { body: document } = await service.send<ApiDocument>('GET', '/openapi.json', {
    credential: null,
  });
  const operations = operationsOf(document);

  await t.test('is of version 3.1, with what the version asks for', async (t) => {
    t.match(document, { openapi: /^3\.1\.\d$/, info: { title: /\w/, version: /\w/ } });
    t.ok(operations.length > 40);
    t.notMatch(JSON.stringify(document), '"$ref"', 'it is whole: nothing refers elsewhere');
    for (const [path, item] of Object.entries(document.paths)) {
      t.match(path, /^\/[\w/{}.-]*$/);
      t.ok(Object.keys(item).every((method) => METHODS.includes(method)));
    }
  });

  await t.test('every schema in it is one', async (t) => {
    const ajv = new Ajv2020({ strict: false });
    const parts = operations.flatMap(({ name, parameters, requestBody, responses }) => [
      ...parameters.map(({ schema }) => ({ name, schema })),
      ...Object.values(requestBody?.content ?? {}).map(({ schema }) => ({ name, schema })),
      ...Object.values(responses).flatMap(({ content = {} }) =>
        Object.values(content).map(({ schema }) => ({ name, schema })),
      ),
    ]);
    t.plan(parts.length);
    for (const { name, schema } of parts) t.ok(ajv.validateSchema(schema), name);
  });

  await t.test('every route says what it takes and what it answers', async (t) => {
    for (const { name, path, parameters, responses, operation } of operations) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      t.strictSame(
        inPath.map((parameter) => parameter.name),
        wanted,
        `${name}: path parameters`,
      );
      t.ok(
        inPath.every(({ required }) => required),
        `${name}: they are required`,
      );
      t.ok(responses['200']?.content ?? responses['302'], `${name}: the schema of its answer`);
      t.match(operation, { summary: /\w/, tags: [/\w/] }, `${name}: what it is`);
      const isOperational = operation.tags.includes('operation');
      const problems = responses['4XX']?.content;
      const kind = path.startsWith('/ofrep/') ? 'application/json' : 'application/problem+json';
      if (!isOperational) t.ok(problems?.[kind], `${name}: its problems`);
    }
  });

  await t.test('answers that are not JSON say so', async (t) => {
    const kinds = (path: string) =>
      Object.keys(document.paths[path]?.['get']?.responses['200']?.content ?? {});
    t.strictSame(kinds('/metrics'), ['text/plain']);
    t.strictSame(kinds('/api/v1/audit/export'), ['application/x-ndjson', 'text/csv']);
  });

  await t.test('every body and every query is closed or says what more it may have', async (t) => {
    for (const { name, requestBody } of operations) {
      const schema = requestBody?.content['application/json']?.schema;
      if (schema === undefined) continue;
      const branches = [schema['anyOf'] ?? schema].flat() as Readonly<Record<string, unknown>>[];
      for (const branch of branches) t.ok('additionalProperties' in branch, name);
    }
  });

  await t.test('every number outside of bodies has an end', async (t) => {
    const numbers = operations.flatMap(({ name, parameters }) =>
      parameters
        .filter(({ schema }) => schema['type'] === 'integer' || schema['type'] === 'number')
        .map((parameter) => ({ name: `${name} ${parameter.name}`, schema: parameter.schema })),
    );
    t.plan(numbers.length);
    for (const { name, schema } of numbers)
      t.ok(schema['format'] === 'int64' || typeof schema['maximum'] === 'number', name);
  });

  await t.test('no route is left out', async (t) => {
    const paths = Object.entries(document.paths).map(([path, item]) => ({
      path,
      url: path.replaceAll(/\{\w+\}/g, 'demo'),
      fits: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
      methods: Object.keys(item).map((method) => method.toUpperCase()),
    }));
    // The event stream's other methods are answered as any unknown path of OFREP, which tells none.
    const telling = paths.filter(({ path }) => path !== '/ofrep/v1/events');
    t.plan(telling.length + 1);
    for (const { path, url } of telling) {
      // A fixed name may also be the value of a parameter, as in /members/leave.
      const told = paths.filter(({ fits }) => fits.test(url)).flatMap(({ methods }) => methods);
      const { headers } = await service.send('TRACE', url);
      const routes = (headers['allow'] ?? '').split(', ').filter((method) => method !== 'HEAD');
      t.strictSame(routes, [...new Set(told)].toSorted(), path);
    }
    const hiding = sourceTexts('api/').filter(
      ({ kind, text }) => kind === 'name' && text === 'hide',
    );
    t.strictSame(
      hiding.map(({ file }) => file),
      ['api/http/documentation.ts', 'api/ofrep/routes.ts'],
      'only the document itself, and a second form of a path, are not in it',
    );
  });

  await t.test('every operation has a name of its own', async (t) => {
    const ids = operations.map(({ operation }) => operation.operationId);
    for (const id of ids) t.match(id, /^(get|put|post|patch|delete)[A-Z][A-Za-z]*$/);
    t.equal(new Set(ids).size, ids.length);
    t.ok(ids.includes('putProjectFlagEnvironmentRollout'));
  });

  await t.test('who may call is as it says', async (t) => {
    t.strictSame(document.security, [{ credential: [] }]);
    for (const { name, method, path, operation } of operations) {
      const isPublic = PUBLIC.some((pattern) => pattern.test(path));
      const byKey = EVALUATION.test(path) ? BY_KEY : undefined;
      const security = path === '/ofrep/v1/events' ? [{ streamToken: [] }] : byKey;
      t.strictSame(operation.security, isPublic ? [] : security, name);
      const url = path.replaceAll(/\{\w+\}/g, 'demo');
      const { status } = await service.send(method, url, { credential: null });
      t.equal(status === 401, !isPublic, `${name} without a credential: ${status}`);
    }
  });

  await t.test('people can read it at /docs', async (t) => {
    const bare = await service.send('GET', '/docs', { credential: null });
    t.match(bare, { status: 302, headers: { location: 'docs/' } });
    const page = await service.send('GET', '/docs/', { credential: null });
    t.match(page, { status: 200, headers: { 'content-type': /^text\/html/ }, text: /Swagger UI/ });
    const script = await service.send('GET', '/docs/static/swagger-initializer.js', {
      credential: null,
    });
    t.equal(script.status, 200);
  });
});
