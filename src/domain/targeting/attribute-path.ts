/** The instant of the evaluation instead of an attribute. */
export const NOW = '$now';

const STEP = /((?:[^.\\]|\\[.\\])+)(\.|$)/y;

const unescaped = (step: string): string => step.replaceAll(/\\([.\\])/g, '$1');

/**
 * The names of a path, outermost first: `a.b` is `b` within `a`; a dot within a name is written `\.`, a backslash
 * `\\`. Undefined for what is no path: an empty name, or a backslash before anything else.
 */
export const attributePath = (path: string): readonly string[] | undefined => {
  const names: string[] = [];
  for (let at = 0, isLast = false; !isLast; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const [, step, separator] = STEP.exec(path) ?? [];
    if (step === undefined) return undefined;
    names.push(unescaped(step));
    isLast = separator === '';
  }
  return names;
};
