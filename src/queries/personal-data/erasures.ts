/** What became of the erasure of one subject. */
export type Erasure = Readonly<{
  /** As in the text `erased:<subjectId>`. */
  subjectId: string;
  /** RFC 3339: when the key was destroyed. */
  erasedAt: string;
  /** Of the event that tells of it; null while that is not in the log. As in JSON. */
  position: number | string | null;
  /** The read model and the rulesets have the event: nobody is shown, or evaluated with, what was erased. */
  isDone: boolean;
}>;
