import { createHash } from 'node:crypto';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type EnvironmentAt } from '../../queries/rulesets/evaluation-answers.js';
import { ofrepItems } from '../../queries/rulesets/ofrep-answers.js';
import { contextIn } from './request-body.js';
import { namesTag } from './validators.js';

export type BulkAnswer = Readonly<{ body: string; tag: string; position: number }>;

const tagOf = (body: string): string => createHash('sha256').update(body).digest('base64url');

/** What all flags are for the context in a body's text; the tag is of the whole answer. */
export const bulkAnswers =
  () =>
  ({ environment, position }: EnvironmentAt, text: string): BulkAnswer => {
    const body = `{"flags":[${ofrepItems(environment, contextIn(text))}],"metadata":{}}`;
    return { body, tag: tagOf(body), position };
  };

/** 304 to a client that has this very answer, else the answer. */
export const answerBulk = (
  reply: FastifyReply,
  { headers }: FastifyRequest,
  { body, tag, position }: BulkAnswer,
): void => {
  void reply.header('etag', `"${tag}"`).header('x-position', position);
  if (namesTag(headers['if-none-match'], tag)) void reply.code(304).send();
  else void reply.header('content-type', 'application/json; charset=utf-8').send(body);
};
