import { type Json } from '../json.js';
import { attributePath } from '../targeting/attribute-path.js';
import { cannotExpress } from './expressions.js';

/** Names that providers read in their own ways: with escapes, as positions, or as what texts and lists have. */
const isPlain = (name: string, index: number): boolean =>
  !/[./\\]/.test(name) &&
  !(name in Object.prototype) &&
  !(index === 0 && name.startsWith('$')) &&
  !(index > 0 && /^(\d+|length)$/.test(name));

/** The attribute that a path names. @throws Inexpressible */
export const variable = (path: string): Json => {
  const names = attributePath(path);
  return names?.every(isPlain)
    ? { var: names.join('.') }
    : cannotExpress(`the attribute "${path}" has no name that every provider reads alike`);
};
