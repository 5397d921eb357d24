import { type ConnectionOptions } from 'bullmq';

/** Where BullMQ is, for its workers: it waits for Redis for as long as it takes. */
export const jobConnection = (redisUrl: string): ConnectionOptions => {
  const { protocol, hostname, port, username, password, pathname } = new URL(redisUrl);
  return {
    host: hostname,
    port: Number(port === '' ? 6379 : port),
    db: Number(pathname.slice(1) || 0),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
    maxRetriesPerRequest: null,
  };
};
