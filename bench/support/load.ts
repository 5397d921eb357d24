import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Load = Readonly<{
  url: string;
  /** Query strings that the requests take in turn, put behind the URL. */
  queries?: readonly string[];
  /** Sent as a JSON POST; a GET without. */
  body?: string;
  credential?: string | undefined;
  connections: number;
  seconds: number;
}>;

type LoadResult = Readonly<{ requests: number; perSecond: number; p99Ms: number }>;

const hasWrk = spawnSync('wrk', ['--version']).error === undefined;
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

const milliseconds = (text: string): number => {
  const [, amount, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(amount) * ({ us: 0.001, ms: 1, s: 1_000 }[unit ?? 'ms'] ?? 1);
};

/** A request of wrk's for each query, formatted once. */
const inTurn = (path: string, queries: readonly string[]): string =>
  queries.length === 0
    ? ''
    : `local all = {}
function init(args)
  for _, query in ipairs({${queries.map((query) => JSON.stringify(query)).join(',')}}) do
    all[#all + 1] = wrk.format(nil, "${path}?" .. query)
  end
end
local nth = 0
function request()
  nth = nth % #all + 1
  return all[nth]
end
`;

const scriptOf = ({
  url,
  body,
  credential,
  queries,
}: Readonly<{
  url: string;
  body: string | undefined;
  credential: string;
  queries: readonly string[];
}>): string =>
  [
    `wrk.headers["x-api-key"] = "${credential}"`,
    ...(body === undefined
      ? []
      : [
          'wrk.method = "POST"',
          'wrk.headers["content-type"] = "application/json"',
          `wrk.body = [==[${body}]==]`,
        ]),
    inTurn(new URL(url).pathname, queries),
  ].join('\n');

const withWrk = async ({
  url,
  body,
  credential = '',
  queries = [],
  connections,
  seconds,
}: Load): Promise<LoadResult> => {
  const script = join(folder, 'request.lua');
  writeFileSync(script, scriptOf({ url, body, credential, queries }));
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url];
  const { stdout } = await run('wrk', options);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+(\S+)/.exec(stdout)?.[1] ?? ''),
  };
};

type AutocannonReport = {
  requests: { total: number; average: number };
  latency: { average: number; p97_5: number; p99: number };
  non2xx: number;
};

const withAutocannon = async ({
  url,
  body,
  credential = '',
  connections,
  seconds,
}: Load): Promise<LoadResult> => {
  const post = body === undefined ? [] : ['-m', 'POST', '-T', 'application/json', '-b', body];
  const key = ['-H', `x-api-key=${credential}`];
  const options = [...key, '-j', '-c', `${connections}`, '-d', `${seconds}`, ...post, url];
  const { stdout } = await run('npx', ['autocannon', ...options]);
  const { requests, latency, non2xx } = JSON.parse(stdout) as AutocannonReport;
  if (non2xx > 0) throw new Error(`${non2xx} answers were not 2xx.`);
  return { requests: requests.total, perSecond: requests.average, p99Ms: latency.p99 };
};

/** Closed-loop load: wrk where it is installed, else autocannon, which uses more of the machine itself. */
export const load = hasWrk ? withWrk : withAutocannon;

type Latencies = Readonly<{ meanMs: number; p975Ms: number }>;

/** Requests at a fixed rate, so that latencies are those of a server that keeps up. */
export const paced = async ({
  url,
  credential = '',
  connections,
  perSecond,
  seconds,
}: Omit<Load, 'body' | 'queries'> & Readonly<{ perSecond: number }>): Promise<Latencies> => {
  const key = ['-H', `x-api-key=${credential}`, '-R', `${perSecond}`];
  const options = [...key, '-j', '-c', `${connections}`, '-d', `${seconds}`, url];
  const { stdout } = await run('npx', ['autocannon', ...options]);
  const { latency, requests, non2xx } = JSON.parse(stdout) as AutocannonReport;
  if (non2xx > 0) throw new Error(`${non2xx} answers were not 2xx.`);
  if (requests.average < perSecond * 0.9) throw new Error(`only ${requests.average}/s were sent`);
  return { meanMs: latency.average, p975Ms: latency.p97_5 };
};
