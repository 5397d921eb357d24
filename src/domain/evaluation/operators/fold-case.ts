const ASCII = /^[\0-\x7f]*$/;

/** Unicode's simple case folding leaves the dotless i as it is; its upper case is the ASCII letter. */
const DOTLESS_I = 'ı';

const isOneCharacter = (text: string): boolean =>
  text.length === 1 || (text.length === 2 && text.codePointAt(0) !== text.charCodeAt(0));

const foldCharacter = (character: string): string => {
  if (character === DOTLESS_I) return character;
  const upper = character.toUpperCase();
  const lower = (isOneCharacter(upper) ? upper : character).toLowerCase();
  return isOneCharacter(lower) ? lower : character;
};

/**
 * Texts that differ only in case become equal, character by character and in every locale alike: the classes of
 * Unicode's simple case folding (CaseFolding.txt, statuses C and S). "ß" and "SS" stay different.
 */
export const foldCase = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : Array.from(text, foldCharacter).join('');
