import { type FastifyInstance, type onSendHookHandler } from 'fastify';

/** Tags of `If-None-Match`, compared weakly: RFC 9110, 13.1.2. */
const names = (header: string, tag: string): boolean =>
  header.trim() === '*' ||
  header.split(',').some((item) => item.trim().replace(/^W\//, '') === tag.replace(/^W\//, ''));

const notModified: onSendHookHandler = (request, reply, payload, done): void => {
  const asked = request.headers['if-none-match'];
  const tag = reply.getHeader('etag');
  const isSame =
    typeof asked === 'string' &&
    typeof tag === 'string' &&
    reply.statusCode === 200 &&
    names(asked, tag);
  if (!isSame) {
    done(null, payload);
    return;
  }
  void reply.code(304).removeHeader('content-type').removeHeader('content-length');
  done(null, null);
};

/** Answers of queries that the client has already, by their ETag, are 304 without a body. */
export const answerNotModified = (app: FastifyInstance): void => {
  app.addHook('onRoute', (route) => {
    const isQuery = route.method === 'GET' && route.config?.access === undefined;
    if (isQuery && route.url.startsWith('/api/v1/'))
      route.onSend = [notModified, ...[route.onSend ?? []].flat()];
  });
};
