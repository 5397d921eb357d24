// What an organization with little to do waits for while another one sends as much as it can: a command and a query
// every 50 ms, alone and beside 64 requests of the other at any time.
import { setTimeout as delay } from 'node:timers/promises';
import { runBench } from './support/bench.js';
import { adminOf, call, forEachOf } from './support/http.js';
import { figure, quantile } from './support/numbers.js';
import { type Row, row, times } from './support/report.js';
import { build, startBackends, startService } from './support/service.js';

const EVERY_MS = 50;
const SAMPLES = 100;
const STORM = 64;
const FLAGS = 64;
const MOST = 2;
const PASSWORD = 'a lantern over the sea';

/** Another organization. @returns how to send as its owner */
const quietOrganization = async (url: string) => {
  const api = `${url}/api/v1`;
  const email = 'quiet@example.com';
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    JSON.parse(await call(`${api}${path}`, { method: 'POST', body })) as T;
  const owner = { email, password: PASSWORD };
  const { organizationId } = await post<{ organizationId: string }>('/organizations', {
    ...{ name: 'Quiet', owner },
  });
  const login = { organization: organizationId, email, password: PASSWORD };
  const { accessToken } = await post<{ accessToken: string }>('/auth/login', login);
  // Not through the storm's connections.
  const send = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`${api}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  };
  await send('POST', '/projects', { key: 'shop', environments: [{ key: 'production' }] });
  await send('POST', '/projects/shop/flags', { key: 'checkout', type: 'boolean' });
  return send;
};

await runBench('shares', 90, async (bench) => {
  await build();
  const backends = await startBackends(bench);
  const { url, credential } = await startService(bench, { backends });
  const admin = adminOf(url, credential);
  await forEachOf(FLAGS, (n) => admin.createFlag(`flag-${n}`));
  const quiet = await quietOrganization(url);
  const checkout = '/projects/shop/flags/checkout';

  const asked = {
    command: (n: number) => quiet('PATCH', checkout, { name: `Checkout ${n}-${Math.random()}` }),
    query: (n: number) => quiet('GET', `${checkout}/history?limit=${1 + (n % 20)}`),
  } as const;
  type Kind = keyof typeof asked;
  const measured = async (kind: Kind): Promise<number> => {
    const took: number[] = [];
    for (let n = 0; n < SAMPLES; n += 1) {
      const began = performance.now();
      await asked[kind](n);
      took.push(performance.now() - began);
      await delay(EVERY_MS);
    }
    return quantile(took, 0.5);
  };
  const storms = {
    command: (n: number) => admin.changeRollout(`flag-${n % FLAGS}`, n % 100),
    query: (n: number) => admin.get(`/flags/flag-${n % FLAGS}/history?limit=${1 + (n % 50)}`),
  } as const;
  const beside = async (kind: Kind): Promise<Readonly<{ ms: number; perSecond: number }>> => {
    let isOver = false;
    let done = 0;
    const storm = forEachOf(
      Infinity,
      async (n) => {
        if (isOver) throw new Error('over');
        await storms[kind](n);
        done += 1;
      },
      STORM,
    ).catch(() => undefined);
    await delay(500);
    const [began, from] = [performance.now(), done];
    const ms = await measured(kind);
    const perSecond = ((done - from) * 1_000) / (performance.now() - began);
    isOver = true;
    await storm;
    return { ms, perSecond };
  };

  const rows: Row[] = [];
  for (const kind of ['command', 'query'] as const) {
    await measured(kind);
    const alone = await measured(kind);
    const { ms, perSecond } = await beside(kind);
    rows.push(
      row(`a ${kind} every ${EVERY_MS} ms, beside ${STORM} at a time of another organization`, {
        measured: `p50 ${figure(ms)} ms (the other: ${figure(perSecond)}/s)`,
        reference: `alone p50 ${figure(alone)} ms`,
        ratio: times(ms / alone),
        target: `≤ ${MOST}x`,
        holds: ms / alone <= MOST,
      }),
    );
  }
  return rows;
});
