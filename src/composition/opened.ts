/** What was opened, closed again in reverse. */
export const opened = () => {
  const closers: (() => Promise<unknown>)[] = [];
  return {
    push: (close: () => Promise<unknown>): void => {
      closers.push(close);
    },
    close: async (): Promise<void> => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
};
