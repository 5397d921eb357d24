import { type FastifyReply } from 'fastify';

const CODING = /(?:--|[-;])(?:gzip|br|zstd|deflate)$/;

/** An entity tag without quotes and weakness: proxies weaken tags, and some clients drop the quotes. */
export const bareTag = (tag: string): string =>
  tag.trim().replace(/^W\//, '').replace(/^"|"$/g, '');

const isTag = (given: string, tag: string): boolean => {
  const bare = bareTag(given);
  // Proxies that compress put the coding behind the tag.
  return bare === tag || bare.replace(CODING, '') === tag;
};

/** A 304 has no body, and no length of one: clients would wait for it. RFC 9110, 8.6. */
export const notModified = (reply: Pick<FastifyReply, 'code'>): FastifyReply =>
  reply.code(304).send();

/** Whether If-None-Match names this tag: in a list, weak, as `*`, also without quotes. RFC 9110, 13.1.2. */
export const namesTag = (header: string | undefined, tag: string): boolean => {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((given) => isTag(given, tag));
};
