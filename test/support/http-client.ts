import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { keepCookies, keepSecretsIn } from './canary.js';

/** What came back. `body` is parsed when it is JSON of any kind, else the text; its shape is for the test to assert. */
export type Answer<Body = unknown> = Readonly<{
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  body: Body;
}>;

export type Options = Readonly<{
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  raw?: string | Buffer;
  headers?: Readonly<Record<string, string>>;
  /** `null`: none. */
  credential?: string | null;
  /** Values are made up: what is named like a secret in them is none. */
  isRandom?: boolean;
}>;

const payloadOf = ({ body, raw }: Options): string | Buffer | undefined =>
  raw ?? (body === undefined ? undefined : JSON.stringify(body));

const headersOf = (options: Options, credential: string) => {
  const { body, credential: given = credential } = options;
  const payload = payloadOf(options);
  return {
    ...(given === null ? {} : { authorization: `Bearer ${given}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }),
    ...options.headers,
  };
};

const isJson = (contentType = ''): boolean => /^application\/(?:[\w.-]+\+)?json/.test(contentType);

/** HTTP to one service, without anything between the test and the wire: paths and headers go out as given. */
export const httpClient = (base: string, credential: string) => {
  const { hostname: host, port } = new URL(base);
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });

  const send = async <Body>(
    method: string,
    path: string,
    options: Options = {},
  ): Promise<Answer<Body>> => {
    const headers = headersOf(options, credential);
    const outgoing = request({ host, port, method, path, agent, headers });
    const payload = payloadOf(options);
    if (options.isRandom !== true) keepSecretsIn(`${path} ${String(payload)}`);
    outgoing.end(payload);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const content = await text(incoming);
    keepSecretsIn(content);
    keepCookies(incoming.headers['set-cookie']);
    const body = (
      isJson(incoming.headers['content-type']) && content !== '' ? JSON.parse(content) : content
    ) as Body;
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: content, body };
  };

  const under =
    (method: string) =>
    <Body>(path: string, options?: Options): Promise<Answer<Body>> =>
      send<Body>(method, `/api/v1${path}`, options);

  return {
    /** Any method and the whole path. */
    send,
    // Paths of these are below /api/v1.
    get: under('GET'),
    post: under('POST'),
    put: under('PUT'),
    patch: under('PATCH'),
    delete: under('DELETE'),
    disconnect: (): void => {
      agent.destroy();
    },
  };
};

export type HttpClient = ReturnType<typeof httpClient>;
