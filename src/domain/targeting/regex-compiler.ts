/**
 * Makes a regular expression into a test of whether it is found anywhere in a text, in time linear to the text.
 * The domain's port to a regular expression engine of the RE2 kind.
 * @throws DomainError `invalid-regex`, saying what is wrong and where in the pattern
 */
export type RegexCompiler = (
  pattern: string,
  options: Readonly<{ ignoreCase: boolean }>,
) => Readonly<{
  /** Testing takes as many steps as this times the length of the text, at most. */
  size: number;
  test: (text: string) => boolean;
}>;
