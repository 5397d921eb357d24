import { rmSync } from 'node:fs';
import { connect } from 'node:net';

const errorOfConnecting = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });

/** Removes the unix socket a killed process left behind: it is there and nobody answers. */
export const removeStaleSocket = async (path: string): Promise<void> => {
  if ((await errorOfConnecting(path)) === 'ECONNREFUSED') rmSync(path, { force: true });
};
