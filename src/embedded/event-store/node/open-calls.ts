/** The calls that would run for ever; `endAll` ends them with one error when the server stops. */
export type OpenCalls = Readonly<{
  /** Returns what to call when the call is over. */
  add: (end: (error: Error) => void) => () => void;
  endAll: (error: Error) => void;
}>;

/** An empty register of calls. */
export const openCalls = (): OpenCalls => {
  const ends = new Set<(error: Error) => void>();
  return {
    add: (end) => {
      ends.add(end);
      return () => {
        ends.delete(end);
      };
    },
    endAll: (error) => {
      for (const end of ends) end(error);
    },
  };
};
