import { Agent, request } from 'node:http';

/** As many connections as are used at the same time, each used again. */
const agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: 64 });

export type Call = Readonly<{
  method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  credential?: string | undefined;
  body?: unknown;
}>;

/** Waits for the whole answer. @throws when it is not a 2xx */
export const call = (
  url: string,
  { method = 'GET', credential, body }: Call = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(content !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
      }),
    };
    const sent = request(url, { method, agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode >= 200 && statusCode < 300) resolve(text);
        else reject(new Error(`${method} ${url}: ${statusCode} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(content);
  });

/** Calls until `isDone` says so of an answer; failures count as not yet. @returns milliseconds it took */
export const callUntil = async (
  url: string,
  credential: string | undefined,
  isDone: (answer: string) => boolean,
  limitMs = 30_000,
): Promise<number> => {
  const began = performance.now();
  for (;;) {
    const answer = await call(url, { credential }).catch(() => '');
    const took = performance.now() - began;
    if (isDone(answer)) return took;
    if (took > limitMs) throw new Error(`${url} did not change: ${answer}`);
  }
};

/** The admin API of one service, for the project that the first start makes. */
export const adminOf = (url: string, credential: string | undefined) => {
  const project = `${url}/api/v1/projects/demo`;
  return {
    project,
    createFlag: (key: string) =>
      call(`${project}/flags`, { method: 'POST', credential, body: { key, type: 'boolean' } }),
    /** Always a change when `percent` is another one than before. */
    changeRollout: (flag: string, percent: number, environment = 'production') =>
      call(`${project}/flags/${flag}/environments/${environment}/fallthrough`, {
        method: 'PUT',
        credential,
        body: {
          split: [
            { variant: 'on', percent },
            { variant: 'off', percent: 100 - percent },
          ],
        },
      }),
    setVariant: (flag: string, variant: string, environment = 'production') =>
      call(`${project}/flags/${flag}/environments/${environment}/fallthrough`, {
        method: 'PUT',
        credential,
        body: { variant },
      }),
    enable: (flag: string, environment = 'production') =>
      call(`${project}/flags/${flag}/environments/${environment}/enable`, {
        method: 'POST',
        credential,
      }),
    get: (path: string) => call(`${project}${path}`, { credential }),
  };
};

/** Does something for every number below `count`, some at a time. */
export const forEachOf = async (
  count: number,
  work: (n: number) => Promise<unknown>,
  atATime = 16,
): Promise<void> => {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atATime }, loop));
};
