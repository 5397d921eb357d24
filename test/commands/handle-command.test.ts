import { setTimeout as delay } from 'node:timers/promises';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { test } from 'tap';
import { aggregates } from '../../src/commands/streams/aggregates.js';
import {
  AppendOutcomeUnknown,
  CommandNotStarted,
  type EventStore,
  WrongRevision,
} from '../../src/commands/streams/event-store.js';
import { type FlagCommand } from '../../src/commands/flag/decider.js';
import { flagDecider } from '../support/deciders.js';
import { commandHandler } from '../../src/commands/streams/handle-command.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import { flagStream } from '../../src/domain/streams.js';
import { FLAG, flag, inProduction, project, PROJECT_ID } from '../support/flags.js';
import { inMemoryEventStore } from '../support/in-memory-event-store.js';
import { metadata } from '../support/metadata.js';

const stream = flagStream(PROJECT_ID, FLAG);
const create: FlagCommand = { type: 'CreateFlag', data: { ...flag, type: 'boolean' } };
const enable: FlagCommand = { type: 'EnableFlag', data: inProduction };
const disable: FlagCommand = { type: 'DisableFlag', data: inProduction };
const enableStaging: FlagCommand = {
  type: 'EnableFlag',
  data: { ...inProduction, environment: 'staging' },
};

const pause = async (ms: number): Promise<void> => delay(ms);

/** One process: its own memory of the streams, on a store that may be shared. */
const processOn = (store: EventStore) => {
  const clock = () => 0;
  const handle = commandHandler({
    store,
    streams: aggregates(store, flagDecider, clock),
    decider: flagDecider,
    streamOf: ({ data }) => flagStream(data.projectId, data.flagKey),
    begins: ({ type }) => type === 'CreateFlag',
    referencesOf: async () => project,
    clock,
    pause,
  });
  return (
    command: FlagCommand,
    commandId: string,
    more: {
      expectedRevision?: number;
      dryRun?: boolean;
      isNew?: boolean;
      commandHash?: string;
      signal?: AbortSignal;
    } = {},
  ) => {
    const { commandHash = 'hash', signal = AbortSignal.timeout(60_000), ...options } = more;
    const own = metadata(commandId, commandHash);
    return handle({ command, metadata: own, grants: OWNER_GRANTS, signal, ...options });
  };
};

test('a recorded command answers with its revision, position and events', async (t) => {
  const run = processOn(inMemoryEventStore());
  const { kind, revision, position, events, before, after } = await run(create, 'c1');
  t.strictSame([kind, revision, position], ['recorded', 0, 1]);
  t.strictSame(
    events.map(({ type }) => type),
    ['FlagCreated'],
  );
  t.strictSame([before.status, after.status], ['absent', 'active']);
});

test('a new flag is appended without reading its stream', async (t) => {
  const store = inMemoryEventStore();
  let reads = 0;
  const counted: EventStore = {
    ...store,
    readPage: (...page) => {
      reads += 1;
      return store.readPage(...page);
    },
  };
  const run = processOn(counted);
  const { kind, revision } = await run(create, 'c1', { isNew: true });
  t.strictSame([kind, revision, reads], ['recorded', 0, 0]);
  await t.rejects(processOn(counted)(create, 'c2', { isNew: true }), { code: 'flag-exists' });
  t.equal((await store.read(stream)).revision, 0, 'one that is there is read, and not made again');
});

test('a command that changes nothing appends nothing and says so', async (t) => {
  const store = inMemoryEventStore();
  const run = processOn(store);
  await run(create, 'c1');
  const { kind, revision } = await run(disable, 'c2');
  t.strictSame([kind, revision], ['unchanged', 0]);
  t.equal((await store.read(stream)).revision, 0);
});

test('a retry is answered as the first time and writes nothing, whenever it comes', async (t) => {
  const store = inMemoryEventStore();
  const run = processOn(store);
  await run(create, 'c1');
  const first = await run(enable, 'c2');
  await run(disable, 'c3');
  for (const process of [run, processOn(store)]) {
    const again = await process(enable, 'c2');
    t.equal(again.kind, 'repeated');
    t.strictSame({ ...again, kind: 'recorded' }, first);
  }
  t.equal((await store.read(stream)).revision, 2);
});

test('a retry from a process that is behind the log is answered as the first time', async (t) => {
  const store = inMemoryEventStore();
  const [one, other] = [processOn(store), processOn(store)];
  await one(create, 'c1');
  await other(enableStaging, 'c0');
  const first = await one(enable, 'c2');
  const again = await other(enable, 'c2');
  t.strictSame([again.revision, again.position], [first.revision, first.position]);
  t.equal((await store.read(stream)).revision, 2);
});

test('the same command id for another command is refused', async (t) => {
  const run = processOn(inMemoryEventStore());
  await run(create, 'c1');
  await t.rejects(run(enable, 'c1', { commandHash: 'other' }), { code: 'idempotency-key-reused' });
});

test('a stale If-Match is refused, a current one accepted, also by a process that is behind', async (t) => {
  const store = inMemoryEventStore();
  const [one, other] = [processOn(store), processOn(store)];
  await one(create, 'c1');
  await other(disable, 'c2');
  await one(enable, 'c3');
  await t.rejects(other(enableStaging, 'c4', { expectedRevision: 0 }), WrongRevision);
  const { revision } = await other(enableStaging, 'c5', { expectedRevision: 1 });
  t.equal(revision, 2);
});

test('a refusal is only given on fresh state', async (t) => {
  const store = inMemoryEventStore();
  const [one, other] = [processOn(store), processOn(store)];
  await one(create, 'c1');
  await other({ type: 'ArchiveFlag', data: flag }, 'c2');
  await one({ type: 'UnarchiveFlag', data: flag }, 'c3');
  const { kind } = await other(enable, 'c4');
  t.equal(kind, 'recorded');
});

test('"unchanged" is only said on fresh state', async (t) => {
  const store = inMemoryEventStore();
  const [one, other] = [processOn(store), processOn(store)];
  await one(create, 'c1');
  await one(enable, 'c2');
  await other(disable, 'c3');
  const { kind } = await one(enable, 'c4');
  t.equal(kind, 'recorded');
});

test('a dry run tells the events and writes nothing', async (t) => {
  const store = inMemoryEventStore();
  const run = processOn(store);
  const { kind, revision, events, after } = await run(create, 'c1', { dryRun: true });
  t.strictSame([kind, revision, events.length, after.status], ['dry-run', -1, 1, 'active']);
  t.equal((await store.read(stream)).revision, -1);
});

test('commands of one process on one flag never conflict', async (t) => {
  const store = inMemoryEventStore();
  let conflicts = 0;
  const counting: EventStore = {
    ...store,
    append: async (...args) => {
      try {
        return await store.append(...args);
      } catch (error) {
        conflicts += 1;
        throw error;
      }
    },
  };
  const run = processOn(counting);
  await run(create, 'c0');
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      run(index % 2 === 0 ? enable : disable, `c${index + 1}`),
    ),
  );
  const recorded = outcomes.filter(({ kind }) => kind === 'recorded');
  t.equal((await store.read(stream)).revision, recorded.length);
  t.equal(conflicts, 0);
});

test('after three conflicts in a row the caller is told', async (t) => {
  const store = inMemoryEventStore();
  const rival = processOn(store);
  await rival(create, 'c0');
  let next = 1;
  const contested: EventStore = {
    ...store,
    append: async (...args) => {
      await rival(next % 2 === 1 ? enable : disable, `r${next}`);
      next += 1;
      return store.append(...args);
    },
  };
  await t.rejects(processOn(contested)(enableStaging, 'c1'), WrongRevision);
  t.equal(next, 4);
});

test('a command whose turn does not come in time is not run', async (t) => {
  const store = inMemoryEventStore();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: EventStore = {
    ...store,
    append: async (...args) => {
      await held;
      return store.append(...args);
    },
  };
  const handle = commandHandler({
    store: slow,
    streams: aggregates(slow, flagDecider, () => 0),
    decider: flagDecider,
    streamOf: () => stream,
    referencesOf: async () => project,
    clock: () => 0,
    pause,
  });
  const patient = new AbortController();
  const impatient = new AbortController();
  const asked = { metadata: metadata('c1'), grants: OWNER_GRANTS };
  const first = handle({ ...asked, command: create, signal: patient.signal });
  const second = handle({ ...asked, command: enable, signal: impatient.signal });
  impatient.abort();
  await t.rejects(second, { name: 'CommandNotStarted' });
  release();
  await first;
  const { events } = await store.read<FlagEvent>(stream);
  t.strictSame(
    events.map(({ type }) => type),
    ['FlagCreated'],
  );
});

/** A store that gives a page of one event when it is let, so that its streams are long. */
const slowly = (store: EventStore) => {
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const slow: EventStore = {
    ...store,
    readPage: async (...asked) => {
      if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
      return store.readPage(...asked);
    },
  };
  return {
    store: slow,
    begin: (): void => {
      isSlow = true;
    },
    /** Resolves when nothing is read any more. */
    finish: async (): Promise<void> => {
      for (let turns = 0; turns < 100; turns += 1) {
        waiting.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      isSlow = false;
    },
  };
};

test('a command whose stream takes too long to read wrote nothing, and succeeds later', async (t) => {
  const store = inMemoryEventStore(1);
  await processOn(store)(create, 'c1');
  await processOn(store)(enable, 'c2');
  const slow = slowly(store);
  slow.begin();
  const run = processOn(slow.store);
  for (const [command, commandId] of [
    [disable, 'c3'],
    [enable, 'c2'],
  ] as const) {
    const late = new AbortController();
    const running = run(command, commandId, { signal: late.signal });
    late.abort();
    await t.rejects(running, { name: CommandNotStarted.name });
  }
  await slow.finish();
  t.equal((await store.read(stream)).revision, 1);
  t.match(await run(disable, 'c3'), { kind: 'recorded', revision: 2 });
  t.match(await run(enable, 'c2'), { kind: 'repeated', revision: 1 });
});

test('a command whose append was not confirmed is looked for in the log', async (t) => {
  const store = inMemoryEventStore();
  let lost = 0;
  /** Writes, and then says that it does not know; or does not write at all. */
  const forgetful = (writes: boolean): EventStore => ({
    ...store,
    append: async (...args) => {
      lost += 1;
      if (writes) await store.append(...args);
      throw new AppendOutcomeUnknown('The connection broke.');
    },
  });
  const written = await processOn(forgetful(true))(create, 'c1');
  t.match(written, {
    kind: 'repeated',
    isOwnTry: true,
    revision: 0,
    events: [{ type: 'FlagCreated' }],
  });

  const signal = AbortSignal.timeout(50);
  await t.rejects(processOn(forgetful(false))(enable, 'c2', { signal }), {
    name: 'AppendOutcomeUnknown',
  });
  t.equal(lost, 2, 'neither was sent again');
});
