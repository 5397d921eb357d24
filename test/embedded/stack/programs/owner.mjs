// A service as the built stack sees it: starts Postgres and Redis in argv[2], prints the URLs, ends on SIGTERM.
import { startLocalStack } from '../../../../dist/embedded/stack/stack.js';

const stack = await startLocalStack({
  dataDirectory: process.argv[2] ?? '',
  needs: { postgres: true, redis: true, eventStore: false },
  log: { info: () => undefined, warn: () => undefined },
});
process.on('SIGINT', () => {
  console.log('interrupted'); // and goes on: a service that is draining
});
process.once('SIGTERM', () => {
  clearInterval(alive);
  void stack.stop();
});
const alive = setInterval(() => undefined, 60_000);
console.log(JSON.stringify({ databaseUrl: stack.databaseUrl, redisUrl: stack.redisUrl }));
