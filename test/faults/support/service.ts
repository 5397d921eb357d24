import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { freePort } from '../../support/free-port.js';
import { WIDE_LIMITS } from '../../support/limits.js';
import { until } from '../../support/until.js';
import { controlledProcess } from './controlled-process.js';
import { type Servers } from './servers.js';

/** Of all processes on one database. */
const MASTER_KEY = createHash('sha256').update('of the faults').digest('base64');

const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const CREDENTIAL = /cf_admin_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/;
const SERVER_KEY = /cf_srv_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/;

/** As /ready tells it. */
export type Readiness = Readonly<{
  status: string;
  parts: readonly Readonly<{
    name: string;
    isReady: boolean;
    details: Readonly<Record<string, unknown>>;
  }>[];
}>;

export type Answer = Readonly<{
  status: number;
  body: Readonly<Record<string, unknown>>;
  headers: IncomingHttpHeaders;
  ms: number;
}>;

export type Question = Readonly<{
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** The request is given up after this time: longer than any answer may take. */
  timeoutMs?: number;
}>;

const agent = new Agent({ keepAlive: true, maxSockets: 200 });

const textOf = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return text;
};

const bodyOf = ({ headers }: IncomingMessage, text: string): Answer['body'] => {
  const isJson = headers['content-type']?.includes('json') === true;
  return isJson ? (JSON.parse(text) as Record<string, unknown>) : { text };
};

/** One request. @throws when the connection is refused or breaks, or no answer comes in time */
export const request = async (url: string, question: Question = {}): Promise<Answer> => {
  const { method = 'GET', headers = {}, body = '', timeoutMs = 10_000 } = question;
  const began = performance.now();
  const sent = httpRequest(url, { method, agent, timeout: timeoutMs, headers: { ...headers } });
  sent.on('timeout', () => sent.destroy(new Error(`No answer in ${timeoutMs} ms.`)));
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = await textOf(response);
  return {
    status: response.statusCode ?? 0,
    body: bodyOf(response, text),
    headers: response.headers,
    ms: performance.now() - began,
  };
};

type Options = Readonly<{
  /** Of its own data directory. */
  name?: string;
  environment?: Readonly<Record<string, string>>;
}>;

/** The service as `npm start` runs it, on the servers' proxies; `start` to run it. Ended with the test. */
export const faultyService = async (t: Test, servers: Servers, options: Options = {}) => {
  const { name = 'service', environment = {} } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const own = {
    PORT: String(port),
    LOG_LEVEL: 'warn',
    DATA_DIRECTORY: join(servers.folder, name),
    EVENTSTORE_URL: servers.eventStore.url,
    DATABASE_URL: servers.postgres.url,
    REDIS_URL: servers.redis.url,
    MASTER_KEY,
    ...WIDE_LIMITS,
    ...environment,
  };
  const server = controlledProcess({
    name,
    command: process.execPath,
    args: [PROGRAM],
    options: { env: { ...process.env, ...own } },
    ready: /Chronoflag is ready/,
  });
  t.teardown(() => server.kill());
  const ready = async (): Promise<Readiness> =>
    (await request(`${url}/ready`)).body as unknown as Readiness;
  return {
    ...server,
    url,
    /** For programs beside it. */
    environment: own,
    dataDirectory: join(servers.folder, name),
    /** What this start printed. */
    credential: (): string => CREDENTIAL.exec(server.output())?.[0] ?? '',
    serverKey: (): string => SERVER_KEY.exec(server.output())?.[0] ?? '',
    ready,
    untilReady: (what = 'the service is ready'): Promise<void> =>
      until(what, async () => (await ready().catch(() => undefined))?.status === 'ready'),
    part: async (part: string): Promise<Readiness['parts'][number] | undefined> =>
      (await ready()).parts.find((one) => one.name === part),
  };
};

export type FaultyService = Awaited<ReturnType<typeof faultyService>>;
