import { type FastifyInstance } from 'fastify';
import { type Config } from '../../config.js';
import { StartupError } from '../../embedded/stack.js';

/** Where it listens, as a URL. @throws StartupError when the port is taken */
export const listen = async (app: FastifyInstance, { port, host }: Config): Promise<string> => {
  try {
    return await app.listen({ port, host });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== 'EADDRINUSE') throw error;
    throw new StartupError(
      `port ${port} is taken; stop the program that listens there, or set PORT to another one`,
    );
  }
};
