// Event streams: from the acknowledgement of a change until a client is told, with one listening and with 2 000, and what
// an idle stream costs. Reference in the same run: the command itself.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { runBench } from './support/bench.js';
import { adminOf, call, callUntil } from './support/http.js';
import { figure, quantile } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, residentMbOf, startBackends, startService } from './support/service.js';

const STREAMS = 2_000;
const CHANGES = 200;
const CHANGES_TO_ALL = 20;
const TARGET_MS = 100;
const TARGET_KB = 50;
const SETTLE_MS = 3_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Bulk = Readonly<{ eventStreams: readonly [{ endpoint: { requestUri: string } }] }>;

/** Opens a stream that tells of every event. */
const listen = async (url: string, onEvent: () => void): Promise<void> => {
  const headers = { 'last-event-id': String(Number.MAX_SAFE_INTEGER).slice(0, 15) };
  const [response] = (await once(get(url, { agent: false, headers }), 'response')) as [
    IncomingMessage,
  ];
  if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode ?? 0}`);
  response.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('refetchEvaluation')) onEvent();
  });
};

await runBench('event-streams', 180, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const writer = await startService(bench, { backends });
  const reader = await startService(bench, { backends, role: 'api' });
  const admin = adminOf(writer.url, writer.credential);
  await admin.createFlag('flag-0');
  await admin.enable('flag-0');
  const bulk = `${reader.url}/ofrep/v1/evaluate/flags`;
  const evaluations = `${reader.url}/api/v1/projects/demo/environments/production/evaluate`;
  await callUntil(evaluations, writer.serverKey, (answer) => answer.includes('flag-0'));
  const asked = await call(bulk, { method: 'POST', credential: writer.serverKey, body: {} });
  const { eventStreams } = JSON.parse(asked) as Bulk;
  const url = reader.url + eventStreams[0].endpoint.requestUri;

  let told = 0;
  let wanted = 0;
  let resolveTold: () => void = () => undefined;
  const onEvent = (): void => {
    told += 1;
    if (told === wanted) resolveTold();
  };

  let variant = 'on';
  /** One change, until this many have been told. */
  const change = async (clients: number) => {
    variant = variant === 'on' ? 'off' : 'on';
    told = 0;
    wanted = clients;
    const all = new Promise<number>((resolve) => {
      resolveTold = () => {
        resolve(performance.now());
      };
    });
    const began = performance.now();
    await admin.setVariant('flag-0', variant);
    const acknowledged = performance.now();
    const toldAt = await all;
    await pause(10);
    // A client can be told before the command's answer is read.
    return { commandMs: acknowledged - began, toldMs: Math.max(0, toldAt - acknowledged) };
  };

  const measure = async (clients: number, count: number) => {
    const done: Awaited<ReturnType<typeof change>>[] = [];
    for (let n = 0; n < count; n += 1) done.push(await change(clients));
    return done;
  };
  const rowOf = (
    what: string,
    done: Awaited<ReturnType<typeof measure>>,
    targetMs?: number,
  ): Row => {
    const tellings = done.map(({ toldMs }) => toldMs);
    const commands = done.map(({ commandMs }) => commandMs);
    const [p50, p99] = [quantile(tellings, 0.5), quantile(tellings, 0.99)];
    return row(what, {
      measured: `p50 ${figure(p50)} ms, p99 ${figure(p99)} ms`,
      reference: `the command itself p50 ${figure(quantile(commands, 0.5))} ms`,
      ratio: times(p50 / quantile(commands, 0.5)),
      ...(targetMs !== undefined && { target: `p99 < ${targetMs} ms`, holds: p99 < targetMs }),
    });
  };

  await listen(url, onEvent);
  await measure(1, 20);
  const one = await measure(1, CHANGES);
  bench.say('one client measured');
  await pause(SETTLE_MS);
  const before = residentMbOf(reader.pid);
  for (let n = 1; n < STREAMS; n += 1) await listen(url, onEvent);
  await pause(SETTLE_MS);
  const perStreamKb = ((residentMbOf(reader.pid) - before) / STREAMS) * 1_000;
  bench.say(`${STREAMS} streams, ${figure(perStreamKb)} kB each`);
  await measure(STREAMS, 3);
  const many = await measure(STREAMS, CHANGES_TO_ALL);
  return [
    rowOf('change acknowledged → event stream told', one, TARGET_MS),
    rowOf(`… → the last of ${STREAMS.toLocaleString('en')} event streams told`, many),
    row(`memory of an idle event stream, of ${STREAMS.toLocaleString('en')}`, {
      measured: `${figure(perStreamKb)} kB`,
      reference: `the process without them ${figure(before)} MB`,
      ratio: times((perStreamKb * STREAMS) / 1_000 / before),
      target: `< ${TARGET_KB} kB`,
      holds: perStreamKb < TARGET_KB,
    }),
  ];
});
