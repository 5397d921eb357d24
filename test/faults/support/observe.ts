import { EventStoreDBClient } from '@eventstore/db-client';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type DomainEvent } from '../../../src/domain/catalogue.js';
import { type Json } from '../../../src/domain/json.js';
import { flagStream, projectStream } from '../../../src/domain/streams.js';
import {
  decodeRecorded,
  foreignKind,
  streamNames,
} from '../../../src/infrastructure/kurrent/decode.js';
import { redisLayout } from '../../../src/infrastructure/redis/layout.js';
import { until } from '../../support/until.js';
import { type Servers } from './servers.js';
import { fact, type Facts, type Log } from './verify.js';

const layout = redisLayout('chronoflag');

/** Runs with a client of its own and disposes of it. */
const withEventStore = async <T>(
  { eventStore }: Servers,
  work: (client: EventStoreDBClient) => Promise<T>,
): Promise<T> => {
  const client = EventStoreDBClient.connectionString(eventStore.directUrl);
  try {
    return await work(client);
  } finally {
    await client.dispose();
  }
};

/** Every event of ours in the log. */
export const readLog = (servers: Servers): Promise<Log> =>
  withEventStore(servers, async (client) => {
    const log: Log[number][] = [];
    for await (const { event } of client.readAll()) {
      const stream = event && streamNames().ours(event.streamId);
      if (event && stream !== undefined && foreignKind(event, stream) === undefined)
        log.push(decodeRecorded<DomainEvent>(event, stream));
    }
    return log;
  });

const withPostgres = async <T>(
  { postgres }: Servers,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> => {
  const client = new pg.Client({ connectionString: postgres.directUrl, query_timeout: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

type EventRow = Readonly<{ position: number; event_id: string } & Record<string, Json>>;
type RevisionRow = Readonly<{ revision: number } & Record<string, Json>>;
type Row = Readonly<Record<string, Json>>;

const EVENTS = `select a.position::float8, a.event_id, a.stream, a.revision::float8, a.type, a.data
  from read_model.audit_event a`;
const REVISIONS = `select r.project_id, r.flag_key, r.revision::float8, r.position_from::float8,
       r.position_to::float8, r.state
  from read_model.flag_revision r
 union all
select r.project_id, null, r.revision::float8, r.position_from::float8, r.position_to::float8, r.state
  from read_model.project_revision r`;
const CURRENT = `select f.project_id, f.key, f.revision::float8, f.position::float8, f.state
  from read_model.flag f
 union all
select p.project_id, null, p.revision::float8, p.position::float8, p.state
  from read_model.project p`;
const CHECKPOINT = `select c.position::float8 from read_model.checkpoint c`;

const streamOf = (projectId: unknown, flag: unknown): string =>
  typeof flag === 'string' ? flagStream(String(projectId), flag) : projectStream(String(projectId));

/** The read model's rows. */
export const readModelFacts = (servers: Servers, log: Log): Promise<Facts> =>
  withPostgres(servers, async (client) => {
    const facts = new Map<string, string>();
    for (const row of (await client.query<EventRow>(EVENTS)).rows) {
      const { position, event_id: id, stream, revision, type, data } = row;
      facts.set(`event ${position}`, fact({ id, stream, revision, type, data }));
    }
    for (const row of (await client.query<RevisionRow>(REVISIONS)).rows) {
      const { project_id, flag_key, revision, position_from: from, position_to: to, state } = row;
      facts.set(`${streamOf(project_id, flag_key)} @${revision}`, fact({ from, to, state }));
    }
    for (const row of (await client.query<Row>(CURRENT)).rows) {
      const { project_id, key, revision, position, state } = row;
      facts.set(streamOf(project_id, key), fact({ revision, position, state }));
    }
    const { rows } = await client.query<{ position: number }>(CHECKPOINT);
    const isCovered = (rows[0]?.position ?? -1) >= (log.at(-1)?.position ?? -1);
    facts.set('checkpoint covers the log', String(isCovered));
    return facts;
  });

const withRedis = async <T>(
  { redis }: Servers,
  work: (client: Redis) => Promise<T>,
): Promise<T> => {
  const client = new Redis(redis.directUrl, { commandTimeout: 5_000, maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
};

export const flushRedis = (servers: Servers): Promise<unknown> =>
  withRedis(servers, (client) => client.flushall());

/** The rulesets in Redis. */
export const rulesetFacts = (servers: Servers): Promise<Facts> =>
  withRedis(servers, async (client) => {
    const facts = new Map<string, string>();
    for (const id of await client.hkeys(layout.environments)) facts.set(id, 'there');
    for (const key of await client.keys(layout.rulesets('*'))) {
      const id = key.slice(layout.rulesets('').length);
      for (const [flag, json] of Object.entries(await client.hgetall(key)))
        facts.set(`${id} ${flag}`, fact(JSON.parse(json)));
    }
    return facts;
  });

const positionOf = {
  postgres: (servers: Servers) =>
    withPostgres(servers, async (client) => {
      const { rows } = await client.query<{ position: number }>(CHECKPOINT);
      return rows[0]?.position ?? -1;
    }),
  redis: (servers: Servers) =>
    withRedis(servers, async (client) =>
      Number((await client.hget(layout.checkpoint, 'position')) ?? -1),
    ),
};

/** Waits until both read sides stand where the log ends. @returns the log */
export const quiescence = async (servers: Servers): Promise<Log> => {
  const log = await readLog(servers);
  const head = log.at(-1)?.position ?? -1;
  for (const [name, position] of Object.entries(positionOf))
    await until(
      `${name} reaches the end of the log`,
      async () => (await position(servers).catch(() => -1)) >= head,
    );
  return log;
};
