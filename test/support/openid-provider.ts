import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { Provider } from 'oidc-provider';
import { freePort } from './free-port.js';

export const CLIENT = { id: 'chronoflag', secret: 'the secret of the client, long enough' };

/** What the provider knows of somebody. */
export type ProviderAccount = Readonly<{ email: string; email_verified: boolean }>;

/** A real OpenID provider, where everybody is logged in at once as whoever `account` names. */
export const openIdProvider = async (redirectUri: string) => {
  const accounts = new Map<string, ProviderAccount>();
  let account = '';
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] }],
    claims: { email: ['email', 'email_verified'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    cookies: { keys: ['a key for cookies'] },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...accounts.get(accountId) }),
    }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email');
      await grant.save();
      return grant;
    },
  });
  const handle = provider.callback();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url?.startsWith('/interaction/') === true)
      await provider.interactionFinished(request, response, { login: { accountId: account } });
    else await handle(request, response);
  };
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    issuer,
    /** From now on it is this account that logs in. */
    logsIn: (subject: string, claims: ProviderAccount): void => {
      accounts.set(subject, claims);
      account = subject;
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const cookiesIn = (response: Response): readonly (readonly [string, string])[] =>
  response.headers.getSetCookie().map((cookie) => {
    const [pair = ''] = cookie.split(';', 1);
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });

/** Follows redirects as a browser does, with its cookies, until one leads to `target`. @returns where that is */
export const browse = async (from: string, target: string): Promise<URL> => {
  const cookies = new Map<string, string>();
  let url = new URL(from);
  for (let steps = 0; steps < 10 && !url.href.startsWith(target); steps += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const [name, value] of cookiesIn(response)) cookies.set(name, value);
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`${url.pathname}: ${response.status} ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
};
