import { type FastifyReply, type FastifyRequest } from 'fastify';
import { OfrepFailure, sendFailure } from './failure.js';

const STREAM = '/ofrep/v1/events';
const EVALUATION = /^\/ofrep\/v1\/evaluate\/flags(?:\/(.*))?$/;

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** 405 for another method of an evaluation; 404 for a key with a slash, which some clients do not encode, and for all else. */
export const answerUnknown = (request: FastifyRequest, reply: FastifyReply): void => {
  const [path = ''] = request.url.split('?', 1);
  const found = EVALUATION.exec(path);
  if (found !== null && request.method !== 'POST') {
    void reply.header('allow', 'POST');
    sendFailure(new OfrepFailure(405, 'GENERAL', 'Evaluate with POST.'), request, reply);
    return;
  }
  if (path === STREAM) {
    void reply.header('allow', 'GET, HEAD');
    sendFailure(new OfrepFailure(405, 'GENERAL', 'Follow events with GET.'), request, reply);
    return;
  }
  if (found === null) {
    sendFailure(new OfrepFailure(404, 'GENERAL', `There is no ${path}.`), request, reply);
    return;
  }
  const key = decoded(found[1] ?? '');
  request.params = { key };
  sendFailure(
    new OfrepFailure(404, 'FLAG_NOT_FOUND', `There is no flag '${key}'.`),
    request,
    reply,
  );
};
