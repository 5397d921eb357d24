import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';
import { StartupError } from './startup-error.js';

// Below 32768: from there on Linux hands ports out to outgoing connections, which may hold ours at any moment.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Whether nobody listens on 127.0.0.1:`port` at this moment. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });

/**
 * A port of 127.0.0.1 that nobody listens on: `preferred` if it is free, else one between 20000 and 31999.
 * @throws StartupError when 200 tries found none.
 */
export const freePort = async (preferred?: number): Promise<number> => {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new StartupError(
    `no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1; stop what listens there`,
  );
};
