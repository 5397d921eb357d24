import * as fc from 'fast-check';
import { test } from 'tap';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import { changesBetween, changesInEnvironment } from '../../src/domain/changes.js';
import { DomainError } from '../../src/domain/decider.js';
import { type FlagEvent } from '../../src/domain/flag/events.js';
import {
  absentFlag,
  contentOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../../src/domain/flag/flag.js';
import { type Json, sameJson } from '../../src/domain/json.js';
import { type Recorded } from '../../src/domain/recorded.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  segmentContentOf,
  type SegmentEvent,
} from '../../src/domain/segment.js';
import { flagStream, segmentStream } from '../../src/domain/streams.js';
import { type StateSource } from '../../src/queries/entities/entity-at.js';
import { flagDiff } from '../../src/queries/entities/entity-diff.js';
import { flagHistory } from '../../src/queries/entities/entity-history.js';
import { type FlagListItem, listFlags } from '../../src/queries/entities/list-flags.js';
import { environmentDiff } from '../../src/queries/environments/environment-diff.js';
import {
  environmentAt,
  projectState,
  type StateOfFlag,
} from '../../src/queries/environments/environment-state.js';
import { logSource } from '../../src/queries/log/log-source.js';
import { verifyProject } from '../../src/queries/log/verify.js';
import { resolveMoment } from '../../src/queries/moments.js';
import { readModelSource } from '../../src/queries/queries.js';
import { comparingWith } from '../support/compared-rows.js';
import { testDatabase } from '../support/database.js';
import {
  ENVIRONMENTS,
  logs,
  ORGANIZATION,
  PROJECT,
  PROJECT_ID,
  projectBegins,
} from '../support/histories.js';
import { eventLogOf, fillReadModel } from '../support/read-model.js';

const SEED = 20_260_102;
const RUNS = { seed: SEED, numRuns: 15 };
const PROJECT_ADDRESS = { organizationId: ORGANIZATION, project: PROJECT };

const FLAGS = ['alpha', 'beta', 'Gamma'] as const;
const SEGMENTS = ['staff', 'beta'] as const;

type Log = readonly Recorded<DomainEvent>[];

/** The oracle: a plain fold of everything up to a position. */
const foldAt = (log: Log, flag: string, position: number): Flag =>
  log
    .filter(({ stream }) => stream === flagStream(PROJECT_ID, flag))
    .filter((event) => event.position <= position)
    .reduce<Flag>((state, event) => evolveFlag(state, event as FlagEvent), absentFlag);

const foldSegmentAt = (log: Log, segment: string, position: number): Segment =>
  log
    .filter(({ stream }) => stream === segmentStream(PROJECT_ID, segment))
    .filter((event) => event.position <= position)
    .reduce<Segment>((state, event) => evolveSegment(state, event as SegmentEvent), absentSegment);

/** An answer, or the code and words of the refusal. */
const outcome = async (answer: Promise<unknown>): Promise<unknown> =>
  answer.catch((error: unknown) => {
    if (error instanceof DomainError) return `${error.code}: ${error.message}`;
    throw error;
  });

const expectSame = (found: unknown, wanted: unknown, what: string): void => {
  const [left, right] = [found, wanted].map((value) => JSON.parse(JSON.stringify(value)) as Json);
  if (!sameJson(left!, right!)) {
    throw new Error(`${what}: ${JSON.stringify(left)} instead of ${JSON.stringify(right)}`);
  }
};

const viewed = async (source: StateSource, flag: string, position: number): Promise<Flag> => {
  try {
    const view = await source.flag({ ...PROJECT_ADDRESS, flag }, { position });
    const content = contentOf({ ...view, projectId: PROJECT_ID });
    if (view.status !== 'deleted') return { ...content, status: view.status };
    return { ...content, status: 'deleted', statusBefore: view.statusBefore! };
  } catch (error) {
    if (error instanceof DomainError) return absentFlag;
    throw error;
  }
};

const viewedSegment = async (
  source: StateSource,
  segment: string,
  position: number,
): Promise<Segment> => {
  try {
    const view = await source.segment({ ...PROJECT_ADDRESS, segment }, { position });
    return { ...segmentContentOf({ ...view, projectId: PROJECT_ID }), status: view.status };
  } catch (error) {
    if (error instanceof DomainError) return absentSegment;
    throw error;
  }
};

const positionsOf = (log: Log): readonly number[] =>
  log.flatMap(({ position }) => [Number(position), Number(position) + 1]);

test('states at every position are the fold of the log, from both sources', async (t) => {
  const { pool: db } = await testDatabase(t);
  const readModel = readModelSource(db);

  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    const replay = logSource(eventLogOf(log), db);
    for (const position of positionsOf(log)) {
      const moment = { position };
      for (const flag of FLAGS) {
        const address = { ...PROJECT_ADDRESS, flag };
        expectSame(await viewed(readModel, flag, position), foldAt(log, flag, position), flag);
        const view = await outcome(readModel.flag(address, moment));
        expectSame(await outcome(replay.flag(address, moment)), view, 'flag from the log');
      }
      for (const segment of SEGMENTS) {
        const address = { ...PROJECT_ADDRESS, segment };
        const folded = foldSegmentAt(log, segment, position);
        expectSame(await viewedSegment(readModel, segment, position), folded, segment);
        const view = await outcome(readModel.segment(address, moment));
        expectSame(await outcome(replay.segment(address, moment)), view, 'segment from the log');
      }
      const whole = await projectState(readModel)(PROJECT_ADDRESS, moment);
      expectSame(await projectState(replay)(PROJECT_ADDRESS, moment), whole, 'project');
      for (const environment of ENVIRONMENTS) {
        const address = { ...PROJECT_ADDRESS, environment };
        const seen = await outcome(environmentAt(readModel)(address, moment));
        expectSame(await outcome(environmentAt(replay)(address, moment)), seen, environment);
      }
    }
  };
  await fc.assert(fc.asyncProperty(logs(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});

test('a time is the last event recorded at or before it, a revision the event itself', async (t) => {
  const { pool: db } = await testDatabase(t);
  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    for (const { stream, revision, position, recordedAt } of log) {
      for (const ms of [-1, 0, 1]) {
        const at = new Date(Date.parse(recordedAt) + ms).toISOString();
        const last = log.filter((event) => event.recordedAt <= at).at(-1);
        expectSame(await resolveMoment(db)({ at }), { position: last?.position ?? -1 }, at);
      }
      expectSame(await resolveMoment(db)({ revision }, stream), { position }, stream);
    }
  };
  await fc.assert(fc.asyncProperty(logs(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});

test('lists of the past show each flag as it was', async (t) => {
  const { pool: db } = await testDatabase(t);
  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    for (const { position } of log) {
      const moment = { position };
      const { flags } = await projectState(readModelSource(db))(PROJECT_ADDRESS, moment);
      const question = { ...PROJECT_ADDRESS, moment, status: 'all' } as const;
      const then = await listFlags(db)({ ...question, isPast: true });
      const shown = ({ key, name, tags, status, revision }: FlagListItem | StateOfFlag) => ({
        key,
        name,
        tags,
        status,
        revision,
      });
      expectSame(then.items.map(shown), flags.map(shown), 'list of the past');
      if (position !== log.at(-1)!.position) continue;
      expectSame(await listFlags(db)({ ...question, isPast: false }), then, 'list of now');
    }
  };
  await fc.assert(fc.asyncProperty(logs(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});

const existing = (flag: Flag): ExistingFlag | undefined =>
  flag.status === 'absent' ? undefined : flag;

test('the history of a flag tells what each event changed', async (t) => {
  const { pool: db } = await testDatabase(t);
  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    for (const flag of FLAGS) {
      const events = log.filter(({ stream }) => stream === flagStream(PROJECT_ID, flag));
      if (events.length === 0) continue;
      const { items } = await flagHistory(db)({ ...PROJECT_ADDRESS, flag, order: 'asc' });
      const wanted = events.map(({ id, position }) => {
        const before = existing(foldAt(log, flag, Number(position) - 1));
        return [id, changesBetween(before, existing(foldAt(log, flag, Number(position))))];
      });
      expectSame(
        items.map(({ eventId, changes }) => [eventId, changes]),
        wanted,
        flag,
      );
    }
  };
  await fc.assert(fc.asyncProperty(logs(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});

test('a diff between any two positions tells what the folds differ in', async (t) => {
  const { pool: db } = await testDatabase(t);
  const environment = 'production';
  const diffAt = async (log: Log, from: number, to: number): Promise<void> => {
    const moments = [{ position: from }, { position: to }] as const;
    const { flags } = await environmentDiff(db)({ ...PROJECT_ADDRESS, environment }, ...moments);
    for (const flag of FLAGS) {
      const ends = [existing(foldAt(log, flag, from)), existing(foldAt(log, flag, to))] as const;
      const told = flags.find(({ key }) => key === flag)?.changes ?? [];
      expectSame(told, changesInEnvironment(...ends, environment), 'environment diff');
      if (ends[0] === undefined && ends[1] === undefined) continue;
      const { changes } = await flagDiff(db)({ ...PROJECT_ADDRESS, flag }, ...moments);
      expectSame(changes, changesBetween(...ends), 'flag diff');
    }
  };
  const check = async (log: Log, chosen: number): Promise<void> => {
    await fillReadModel(db, log);
    const flagEvents = log.slice(projectBegins.length);
    const to = flagEvents[chosen % flagEvents.length]!.position;
    for (const { position } of flagEvents) await diffAt(log, Number(position), Number(to));
  };
  await fc.assert(fc.asyncProperty(logs(20), fc.nat(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});

test('the read model is verified against the log', async (t) => {
  const { pool: db } = await testDatabase(t);
  const check = async (log: Log): Promise<void> => {
    await fillReadModel(db, log);
    const { position } = log.at(-1)!;
    const verify = verifyProject(eventLogOf(log), db, comparingWith(db, log));
    const first = await verify({ ...PROJECT_ADDRESS, limit: 1 }, { position });
    const firstChecked = first.flagsChecked + first.segmentsChecked;
    expectSame([first.agree, first.differences, firstChecked], [true, [], 1], 'first page');
    const all = await verify(PROJECT_ADDRESS, { position });
    const keys = new Set(log.map(({ stream }) => stream)).size - 1;
    const checked = all.flagsChecked + all.segmentsChecked;
    expectSame([all.agree, checked, all.nextCursor], [true, keys, null], 'everything');
  };
  await fc.assert(fc.asyncProperty(logs(20), check), RUNS);
  t.pass(`seed ${SEED}`);
});
