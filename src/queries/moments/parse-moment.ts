import { toPosition } from '../../domain/position.js';
import { type MomentRequest } from './resolve-moment.js';

const NUMBERED = /^(position|revision):(\d{1,19})$/;

/** One end of a diff: `position:<n>`, `revision:<n>`, `now`, or an RFC 3339 time (checked when it is resolved). */
export const parseMoment = (text: string): MomentRequest => {
  if (text === 'now') return {};
  const [, unit, digits] = NUMBERED.exec(text) ?? [];
  if (unit === 'position') return { position: toPosition(digits ?? '') };
  if (unit === 'revision') return { revision: Number(digits) };
  return { at: text };
};
