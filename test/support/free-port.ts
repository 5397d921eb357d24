import { createServer } from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 50;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });

/**
 * A TCP port nobody listens on, below the range the system hands out by itself (32768 and up), so that no
 * outgoing connection can take it before the caller does.
 * @throws when none of 50 random ports is free
 */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port between ${FIRST} and ${LAST} in ${ATTEMPTS} attempts.`);
};
