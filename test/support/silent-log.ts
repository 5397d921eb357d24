/** A log that keeps its messages for the test to read. */
export const silentLog = () => {
  const messages: string[] = [];
  const keep = (_: object, message: string): void => {
    messages.push(message);
  };
  return { messages, info: keep, warn: keep };
};
