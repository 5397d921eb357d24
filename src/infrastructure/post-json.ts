/** Shorter than a transaction may be idle. */
const ANSWER_MS = 3_000;

/**
 * Posts to a place outside of this installation. No redirect is followed, and of the answer only the status counts:
 * its body is not read. @throws Error unless the status is 2xx, in time
 */
export const postJson = async (
  url: string,
  value: unknown,
  { answerMs = ANSWER_MS }: Readonly<{ answerMs?: number }> = {},
): Promise<void> => {
  const { ok, status, body } = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
    redirect: 'manual',
    signal: AbortSignal.timeout(answerMs),
  });
  await body?.cancel();
  if (!ok) throw new Error(`The webhook answered ${status}.`);
};
