import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { until } from './until.js';

const answers = async (url: string): Promise<boolean> => {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    commandTimeout: 500,
  });
  redis.on('error', () => undefined);
  return redis
    .connect()
    .then(() => redis.ping())
    .then(() => true)
    .catch(() => false)
    .finally(() => {
      redis.disconnect();
    });
};

/** A private redis-server that keeps nothing on disk and can be stopped, paused and started again. */
export const redisServer = async () => {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  };
  return {
    url,
    stop,
    start: async (): Promise<void> => {
      child = spawn(
        'redis-server',
        ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
        { stdio: 'ignore' },
      );
      await until('redis-server answers', () => answers(url));
    },
    pause: (): void => {
      child?.kill('SIGSTOP');
    },
    resume: (): void => {
      child?.kill('SIGCONT');
    },
  };
};
