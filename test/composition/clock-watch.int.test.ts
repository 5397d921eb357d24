import { test } from 'tap';
import { watchClock } from '../../src/composition/clock-watch.js';
import { testDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

test('a jump of the clock that the log refused is reported at the next look, and then no more', async (t) => {
  const { pool, url } = await testDatabase(t);
  const recordedAt = new Date(Date.now() + HOUR_MS).toISOString();
  await pool.query(
    `insert into checkpoint (projection, position, recorded_at) values ('read_model', 7, $1)`,
    [recordedAt],
  );
  const asked: string[] = [];
  const stopping = new AbortController();
  t.teardown(() => {
    stopping.abort();
  });
  const warnings: string[] = [];
  const watch = watchClock({
    databaseUrl: url,
    events: {
      clockJumped: async (time) => {
        asked.push(time);
        if (asked.length === 1) throw new Error('The event store is away.');
      },
    },
    log: {
      warn: (_, message) => {
        warnings.push(message);
      },
    },
    signal: stopping.signal,
  });
  await until('it is reported', () => warnings.length > 0);
  t.strictSame(asked, [recordedAt, recordedAt], 'again, because the first time failed');
  t.ok(watch.aheadMs() > HOUR_MS / 2);
  t.match(watch.readiness(), { isReady: true, isDegraded: true });
});
