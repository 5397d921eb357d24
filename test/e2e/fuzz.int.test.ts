import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc, { type Arbitrary } from 'fast-check';
import { test } from 'tap';
import { type Answer } from '../support/http-client.js';
import { type ApiDocument, operationsOf, type Parameter, type Schema } from '../support/openapi.js';
import { testService, type TestService } from '../support/service.js';
import { fitting, hostile } from './schema-values.js';

/** Chosen once; a failure prints it together with the smallest request that fails. */
const SEED = 20_261_121;
const RUNS_PER_OPERATION = 25;

type Operation = ReturnType<typeof operationsOf>[number];
type Values = Readonly<Record<string, string>>;
type Attempt = Readonly<{ path: Values; query: Values; headers: Values; body: unknown }>;

/** Names that exist, so that not every request ends at a 404. */
const NAMES: Values = { project: 'demo', environment: 'production', flag: 'checkout' };

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** No control characters: Node's own client would not send them. */
const isHeader = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

const mostly = <Usual, Rare>(usual: Arbitrary<Usual>, rare: Arbitrary<Rare>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: rare });

const valueFor = ({ name, in: place, schema }: Parameter): Arbitrary<string> => {
  const any = mostly(fitting(schema), hostile).map(asText);
  const known = place === 'path' ? NAMES[name] : undefined;
  if (known !== undefined) return mostly(fc.constant(known), any);
  return place === 'header' ? any.filter(isHeader) : any;
};

/** All of a path's parameters; of the others none, mostly, or some. */
const parametersIn = ({ parameters }: Operation, place: Parameter['in']): Arbitrary<Values> => {
  const wanted = parameters.filter((parameter) => parameter.in === place);
  const values = Object.fromEntries(wanted.map((one) => [one.name, valueFor(one)]));
  const required = wanted.filter(({ required = false }) => required).map(({ name }) => name);
  const some = fc.record(values, { requiredKeys: required }) as Arbitrary<Values>;
  if (required.length > 0) return some;
  return fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, some);
};

const bodyFor = ({ requestBody }: Operation): Arbitrary<unknown> => {
  const schema = requestBody?.content['application/json']?.schema;
  if (schema === undefined) return mostly(fc.constant(undefined), hostile);
  return mostly(fitting(schema), fc.oneof(hostile, fc.constant(undefined)));
};

const attemptOf = (operation: Operation): Arbitrary<Attempt> =>
  fc.record({
    path: parametersIn(operation, 'path'),
    query: parametersIn(operation, 'query'),
    headers: parametersIn(operation, 'header'),
    body: bodyFor(operation),
  });

const send = (service: TestService, { method, path }: Operation, attempt: Attempt) => {
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(attempt.path[name] ?? ''),
  );
  const query = new URLSearchParams(attempt.query).toString();
  const { body, headers } = attempt;
  return service.send(method, query === '' ? url : `${url}?${query}`, {
    body,
    headers,
    isRandom: true,
  });
};

const ajv = new Ajv2020({ strict: false });
formats.default(ajv);
const compiled = new Map<Schema, ValidateFunction>();

const fits = (schema: Schema, value: unknown): boolean => {
  const validate = compiled.get(schema) ?? ajv.compile(schema);
  compiled.set(schema, validate);
  return validate(value);
};

const declared = ({ responses }: Operation, status: number, kind: string): Schema | undefined => {
  const answer = responses[status] ?? responses[`${String(status).charAt(0)}XX`];
  return answer?.content?.[kind]?.schema;
};

/** What is wrong with an answer; undefined when it is as the document says. */
const faultOf = (operation: Operation, { status, headers, body }: Answer): string | undefined => {
  const [kind = ''] = (headers['content-type'] ?? '').split(';');
  const schema = declared(operation, status, kind);
  if (status >= 500) return 'it failed';
  if (schema === undefined) return `no answer ${status} of ${kind} is declared`;
  return kind.endsWith('json') && !fits(schema, body) ? 'it has another shape' : undefined;
};

test(`whatever is sent, the answer is as documented (seed ${SEED})`, async (t) => {
  const service = await testService(t);
  await service.post('/projects/demo/flags', { body: { key: 'checkout', type: 'boolean' } });
  const { body: document } = await service.send<ApiDocument>('GET', '/openapi.json');
  // Waiting for a position that never comes takes seconds.
  const operations = operationsOf(document).map((operation) => ({
    ...operation,
    parameters: operation.parameters.filter(({ name }) => name !== 'x-min-position'),
  }));
  const statuses = new Map<number, number>();

  for (const operation of operations) {
    const property = fc.asyncProperty(attemptOf(operation), async (attempt) => {
      const answer = await send(service, operation, attempt);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = faultOf(operation, answer);
      if (fault !== undefined) throw new Error(`${fault}: ${answer.status} ${answer.text}`);
    });
    const options = { seed: SEED, numRuns: RUNS_PER_OPERATION, endOnFailure: true };
    const result = await fc.check(property, options);
    const told = `${String(result.errorInstance)}\n${fc.defaultReportMessage(result) ?? 'fine'}`;
    t.notOk(result.failed, `${operation.name}: ${told}`);
  }

  t.comment(JSON.stringify(Object.fromEntries(statuses)));
  t.ok((statuses.get(200) ?? 0) > 100, 'not everything was refused');
  const recorded = await service.patch<{ position: number }>('/projects/demo', {
    body: { name: `after ${SEED}` },
  });
  const project = recorded.status === 200 ? recorded.body.position : 0;
  const headers = { 'x-min-position': String(project) };
  t.match(await service.get('/projects', { headers }), { status: 200 }, 'the read model goes on');
  t.match(await service.send('GET', '/ready'), { status: 200, body: { status: 'ready' } });
});
