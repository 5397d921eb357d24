/** How many there are under each name; a name of which there is none is forgotten. */
export const tallies = () => {
  const counts = new Map<string, number>();
  const of = (name: string): number => counts.get(name) ?? 0;
  const remove = (name: string): void => {
    if (of(name) > 1) counts.set(name, of(name) - 1);
    else counts.delete(name);
  };
  return {
    of,
    /** One more under each of them, until what it gives is called. */
    add: (...names: readonly string[]): (() => void) => {
      for (const name of names) counts.set(name, of(name) + 1);
      return () => {
        names.forEach(remove);
      };
    },
  };
};
