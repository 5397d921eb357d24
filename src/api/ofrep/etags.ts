import { type FastifyReply } from 'fastify';
import { type Position, toPosition } from '../../domain/position.js';

const CODING = /(?:--|[-;])(?:gzip|br|zstd|deflate)$/;

/** An entity tag without quotes and weakness: proxies weaken tags, and some clients drop the quotes. */
const bareTag = (tag: string): string => tag.trim().replace(/^W\//, '').replace(/^"|"$/g, '');

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

/** What an event says: the environment serves this content since (at the latest) this log position. */
type ConfigEtag = Readonly<{ tag: string; position: Position }>;

const SHAPE = /^([0-9a-f]{32})\.(\d{1,19})$/;

/** `<tag>.<position>`: the position lets a process that is behind wait for it. */
export const configEtagText = ({ tag, position }: ConfigEtag): string => `${tag}.${position}`;

/** Quoted or not: the specification leaves it open. A text that we have not made names nothing that there is. */
export const parseConfigEtag = (text: string): ConfigEtag => {
  const [, tag = '', position = '-1'] = SHAPE.exec(bareTag(text)) ?? [];
  return { tag, position: toPosition(position) };
};
