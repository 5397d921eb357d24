import { jsonEvent } from '@eventstore/db-client';
import { test } from 'tap';
import { type Erased, type PersonalExport } from '../../src/identity/ports.js';
import { connect } from '../support/event-store.js';
import { metadataOf } from '../support/histories.js';
import { testService } from '../support/service.js';
import { until } from '../support/until.js';

const OLD = 'Old.Okapi@example.com';
const value = OLD.toLowerCase();
const FLAG = '/projects/demo/flags/aged';
const STREAM = 'flag-default:demo:aged';

test('what was written before personal data was sealed', async (t) => {
  const service = await testService(t);
  const store = connect(t, service.stores.eventStoreUrl);
  await service.post('/projects/demo/flags', { body: { key: 'aged', type: 'boolean' } });
  const targets = [{ variant: 'on', keys: [OLD, 'bob'] }];
  const event = jsonEvent({
    type: 'FlagTargetsChanged',
    data: { environment: 'production', targets },
    metadata: { ...metadataOf(1) },
  });
  await store.appendToStream(STREAM, [event]);
  await until('the flag names the person', async () =>
    (await service.get(FLAG)).text.includes(OLD),
  );
  const exported = async (of: string): Promise<PersonalExport> =>
    (await service.post<PersonalExport>('/personal-data/export', { body: { value: of } })).body;

  await t.test('is exported, and told to be in clear', async (t) => {
    const told = await exported(value);
    t.match(told, {
      flags: [{ key: 'aged', places: [{ where: 'target', variant: 'on' }] }],
      events: [{ type: 'FlagTargetsChanged', stream: STREAM, isInClear: true }],
      isComplete: true,
    });
    t.equal(told.events.length, 1);
  });

  await t.test('a text that is nobody’s is not taken for a person', async (t) => {
    t.match(await exported('on'), { flags: [], segments: [], events: [] });
  });

  await t.test('an erasure says what it does not reach', async (t) => {
    const erase = { body: { value } };
    const dry = await service.post<Erased>('/personal-data/erase?dryRun=true', erase);
    t.match(dry.body, { result: 'dry-run', events: 1, inClear: 1 });
    const { body } = await service.post<Erased>('/personal-data/erase', erase);
    t.match(body, { result: 'unchanged', subjectIds: [], inClear: 1, flags: [{ key: 'aged' }] });
  });

  await t.test('what is written from now on is sealed, and erased', async (t) => {
    const segment = { key: 'fresh', included: [OLD], excluded: [] };
    await service.post('/projects/demo/segments', { body: segment });
    const { events } = await exported(value);
    t.strictSame(
      events.map(({ type, isInClear }) => [type, isInClear]),
      [
        ['FlagTargetsChanged', true],
        ['SegmentCreated', false],
      ],
    );
    const { body } = await service.post<Erased>('/personal-data/erase', { body: { value } });
    t.match(body, { result: 'erased', subjectIds: { length: 1 }, events: 2, inClear: 1 });
    t.match(await exported(value), { segments: [], events: { length: 1 } });
  });
});
