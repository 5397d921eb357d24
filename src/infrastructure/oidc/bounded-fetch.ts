import { Buffer } from 'node:buffer';

/** The provider cannot be reached, does not answer in time, or answers that it is broken. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';
}

/** Documents of a provider have a few kilobytes. */
const MAX_BYTES = 256 * 1024;
const TIMEOUT_MS = 5_000;

const NO_BODY = new Set([204, 205, 304]);

const readAll = async ({ body }: Response): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new ProviderUnavailable('Its answer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/**
 * A fetch for answers of somebody else: no redirects, a few seconds and a few kilobytes.
 * @throws ProviderUnavailable
 */
export const boundedFetch = async (
  url: string,
  options: Pick<RequestInit, 'method' | 'headers' | 'body'>,
  timeoutMs = TIMEOUT_MS,
): Promise<Response> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { ...options, redirect: 'manual', signal });
    if (response.status >= 500) throw new ProviderUnavailable(`It answered ${response.status}.`);
    const content = await readAll(response);
    const { status, headers: told } = response;
    return new Response(NO_BODY.has(status) ? null : new Uint8Array(content), {
      status,
      headers: told,
    });
  } catch (cause) {
    if (cause instanceof ProviderUnavailable) throw cause;
    throw new ProviderUnavailable('It did not answer.', { cause });
  }
};
