import { pino } from 'pino';
import { test } from 'tap';
import { buildApp } from '../../src/api/http/build-app.js';
import {
  AppendOutcomeUnknown,
  EventStoreUnavailable,
} from '../../src/commands/streams/event-store.js';
import { DomainError } from '../../src/domain/decider.js';

const SECRET = 'postgres://user:password@host';

/** Answers of a route that fails with this. */
const failingWith = async (error: Error) => {
  const app = await buildApp({
    log: pino({ level: 'silent' }),
    guard: { authenticate: async () => undefined, verifyKey: () => undefined },
    routes: [
      async (routes) => {
        routes.get('/fails', { config: { access: 'public' } }, async () => {
          throw error;
        });
      },
    ],
    operations: [],
    version: 'test',
  });
  const answer = await app.inject('/api/v1/fails');
  await app.close();
  return { status: answer.statusCode, text: answer.body, headers: answer.headers };
};

const FAULTS = [
  new Error(`cannot read ${SECRET}`),
  new TypeError(`${SECRET} is not a function`),
  Object.assign(new Error(`connect to ${SECRET}`), { code: 'ECONNREFUSED' }),
  Object.assign(new Error(`duplicate key ${SECRET}`), { code: '23505', detail: SECRET }),
  Object.assign(new Error(SECRET), { statusCode: 500 }),
  new DomainError('a-code-without-a-status', SECRET),
  new AppendOutcomeUnknown(SECRET),
];

test('a fault tells nothing of the inside', async (t) => {
  t.plan(FAULTS.length * 2);
  for (const fault of FAULTS) {
    const { status, text, headers } = await failingWith(fault);
    t.match([status, headers['content-type']], [/^50[03]$/, /^application\/problem\+json/]);
    t.notMatch(text, /password|stack|at /, `${fault.name} ${fault.message}`);
  }
});

test('what may be tried again says so', async (t) => {
  const away = await failingWith(new EventStoreUnavailable('The event store does not answer.'));
  t.match(away, { status: 503, headers: { 'retry-after': '1' }, text: /event-store-unavailable/ });
});
