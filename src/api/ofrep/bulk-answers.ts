import { createHash } from 'node:crypto';
import { type FastifyReply } from 'fastify';
import { LRUCache } from 'lru-cache';
import { type Context } from '../../domain/evaluation/context.js';
import { type Position } from '../../domain/position.js';
import {
  evaluateAll,
  type EnvironmentRulesets,
} from '../../queries/rulesets/environment-rulesets.js';
import { sendText, sendTogether } from '../edge/compression.js';
import { contextIn } from './request-body.js';

export type BulkAnswer = Readonly<{ body: string; tag: string }>;

/** Characters of requests and answers that are kept, in this process. */
const MAX_KEPT = 16 * 1024 * 1024;

const tagOf = (body: string): string => createHash('sha256').update(body).digest('base64url');

/** The same context, and whether an evaluation has looked at the time in it. */
const watchingClock = ({ targetingKey, attributes, nowMs }: Context) => {
  let isRead = false;
  const context: Context = {
    targetingKey,
    attributes,
    get nowMs() {
      isRead = true;
      return nowMs;
    },
  };
  return { context, isClockRead: () => isRead };
};

/**
 * What all flags are for the context in a body's text; the tag is of the whole answer. The same text at the same
 * environment gets the same answer, which is kept: an environment is another object after every change, and the whole
 * text is the key, so neither an old answer nor another user's can be given. An answer that
 * depends on the time is not kept. `tail`: what follows the flags.
 */
export const bulkAnswers = () => {
  const kept = new LRUCache<string, BulkAnswer>({
    maxSize: MAX_KEPT,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  });
  const numbers = new WeakMap<EnvironmentRulesets, number>();
  let environments = 0;

  const numberOf = (environment: EnvironmentRulesets): number => {
    const known = numbers.get(environment);
    if (known !== undefined) return known;
    environments += 1;
    numbers.set(environment, environments);
    return environments;
  };

  return (environment: EnvironmentRulesets, text: string, tail: string): BulkAnswer => {
    const key = `${numberOf(environment)} ${tail}\n${text}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const watched = watchingClock(contextIn(text));
    const flags = evaluateAll(environment, watched.context, 'item');
    const body = `{"flags":[${flags}],"metadata":{}${tail}}`;
    const answer = { body, tag: tagOf(body) };
    if (!watched.isClockRead()) kept.set(key, answer);
    return answer;
  };
};

/** 304 when the client has this very answer, else the answer. */
export const sendBulk = (
  reply: FastifyReply,
  answer: BulkAnswer,
  position: Position,
  isKnown: boolean,
): void => {
  void reply.header('etag', `"${answer.tag}"`).header('x-position', position);
  if (isKnown) sendTogether(reply.code(304));
  else sendText(reply, answer.body, answer);
};
