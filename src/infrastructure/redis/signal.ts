import { Redis } from 'ioredis';

const connect = (url: string, isSubscriber: boolean): Redis => {
  const redis = new Redis(url, {
    connectTimeout: 1_000,
    enableOfflineQueue: isSubscriber,
    // A publisher gives up, a subscriber never does.
    maxRetriesPerRequest: isSubscriber ? null : 0,
    ...(!isSubscriber && { commandTimeout: 200 }),
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
  });
  redis.on('error', () => undefined);
  return redis;
};

/**
 * Wakes the other processes when there is something new in Postgres. It carries nothing and may get lost: whoever
 * listens looks from time to time all the same.
 */
export const redisSignal = (
  { url, prefix }: Readonly<{ url: string; prefix: string }>,
  onSignal: () => void,
) => {
  const channel = `{${prefix}}:signal:accounts`;
  const publisher = connect(url, false);
  const subscriber = connect(url, true);
  subscriber.on('message', onSignal);
  subscriber.subscribe(channel).catch(() => undefined);
  return {
    /** Never rejects. */
    send: async (): Promise<void> => {
      await publisher.publish(channel, '').catch(() => undefined);
    },
    close: (): void => {
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
};

export type RedisSignal = ReturnType<typeof redisSignal>;
