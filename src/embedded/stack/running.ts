import { connect } from 'node:net';
import { readSettings } from './data-directory.js';
import { eventStoreUrl } from './event-store.js';
import { postgresUrl } from './postgres/start.js';
import { redisUrl } from './redis/start.js';

export type StackUrls = Readonly<{
  eventStoreUrl: string;
  databaseUrl: string;
  redisUrl: string;
}>;

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isThere: boolean) => () => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });

/** Where the services of a stack are that another process runs on this data directory; undefined when none does. */
export const runningStack = async (dataDirectory: string): Promise<StackUrls | undefined> => {
  const { ports, passwords } = await readSettings(dataDirectory);
  const { eventStore, postgres, redis } = ports;
  if (eventStore === undefined || postgres === undefined || redis === undefined) return undefined;
  const listening = await Promise.all([eventStore, postgres, redis].map(isListening));
  return listening.includes(false)
    ? undefined
    : {
        eventStoreUrl: eventStoreUrl(eventStore),
        databaseUrl: postgresUrl(postgres, passwords.postgres),
        redisUrl: redisUrl(redis, passwords.redis),
      };
};
