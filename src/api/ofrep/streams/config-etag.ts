import { type Position, toPosition } from '../../../domain/position.js';
import { bareTag } from '../validators.js';

/** What an event says: the environment serves this content since (at the latest) this log position. */
export type ConfigEtag = Readonly<{ tag: string; position: Position }>;

const SHAPE = /^([0-9a-f]{32})\.(\d{1,19})$/;

/** `<tag>.<position>`: the position lets a process that is behind wait for it. */
export const configEtagText = ({ tag, position }: ConfigEtag): string => `${tag}.${position}`;

/** Quoted or not: the specification leaves it open. A text that we have not made names nothing that there is. */
export const parseConfigEtag = (text: string): ConfigEtag => {
  const [, tag = '', position = '-1'] = SHAPE.exec(bareTag(text)) ?? [];
  return { tag, position: toPosition(position) };
};
