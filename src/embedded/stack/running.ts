import { connect } from 'node:net';
import { readSettings, type ServiceName } from './data-directory.js';
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

/**
 * Where the services are that another process runs on this data directory; undefined when one that is needed does not
 * listen. The others may be elsewhere.
 */
export const runningStack = async (
  dataDirectory: string,
  needs: Readonly<Record<ServiceName, boolean>>,
): Promise<StackUrls | undefined> => {
  const { ports, passwords } = await readSettings(dataDirectory);
  const { eventStore, postgres, redis } = ports;
  if (eventStore === undefined || postgres === undefined || redis === undefined) return undefined;
  const listening = await Promise.all([
    !needs.eventStore || isListening(eventStore),
    !needs.postgres || isListening(postgres),
    !needs.redis || isListening(redis),
  ]);
  return listening.includes(false)
    ? undefined
    : {
        eventStoreUrl: eventStoreUrl(eventStore),
        databaseUrl: postgresUrl(postgres, passwords.postgres),
        redisUrl: redisUrl(redis, passwords.redis),
      };
};
