import { test } from 'tap';
import { freePort } from '../../support/free-port.js';
import { type Answer } from '../../support/http-client.js';
import { browse, CLIENT, openIdProvider } from '../../support/openid-provider.js';
import { type Owner, registerOwner, type Tokens } from '../../support/people.js';
import { testService } from '../../support/service.js';
import { until } from '../../support/until.js';

const COOKIE =
  /^__Host-chronoflag-oidc=[\w-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/;

type Edit = (url: URL) => void;

type Visit = Readonly<{
  /** Before the provider is asked. */
  before?: Edit;
  /** Before the service hears its answer. */
  after?: Edit;
  cookie?: (cookie: string) => string;
}>;

const same = (text: string): string => text;

const set =
  (name: string, value: string): Edit =>
  (url) => {
    url.searchParams.set(name, value);
  };

test('logging in at an OpenID provider', async (t) => {
  const port = String(await freePort());
  const publicUrl = `http://127.0.0.1:${port}`;
  const callback = `${publicUrl}/api/v1/auth/oidc/callback`;
  const provider = await openIdProvider(callback);
  t.teardown(() => provider.stop());
  const service = await testService(t, {
    PORT: port,
    PUBLIC_URL: publicUrl,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: CLIENT.id,
    OIDC_CLIENT_SECRET: CLIENT.secret,
  });

  const begin = async (organization: string) => {
    const { status, headers } = await service.get(
      `/auth/oidc/start?organization=${organization}&cookies=false`,
      { credential: null },
    );
    const [cookie = ''] = headers['set-cookie'] ?? [];
    if (status !== 302 || !COOKIE.test(cookie))
      throw new Error(`It began with ${status}: ${cookie}`);
    return { url: new URL(headers.location ?? ''), cookie: cookie.split(';', 1).join() };
  };

  /** The whole way through the browser. */
  const visit = async (
    { organizationId }: Pick<Owner, 'organizationId'>,
    { before, after, cookie: edited = same }: Visit = {},
  ) => {
    const { url, cookie } = await begin(organizationId);
    before?.(url);
    const back = await browse(url.href, callback);
    after?.(back);
    const path = `/auth/oidc/callback${back.search}`;
    const land = (): Promise<Answer<Tokens>> =>
      service.get<Tokens>(path, { credential: null, headers: { cookie: edited(cookie) } });
    return { answer: await land(), land };
  };

  const ada = await registerOwner(service, 'ada');
  const asAda = { email: ada.email, email_verified: true };

  await t.test('a member with a verified address gets a session', async (t) => {
    provider.logsIn('subject-ada', { ...asAda, email: ada.email.toUpperCase() });
    const { answer } = await visit(ada);
    t.match(answer, { status: 200, body: { userId: ada.userId, method: 'oidc' } });
    const { accessToken: credential, sessionId } = answer.body;
    const { body } = await service.get('/auth/sessions', { credential });
    t.match(body, { items: [{ sessionId, method: 'oidc' }] });
    await until('the audit log has it', async () => {
      const { text } = await service.get('/audit?type=SessionStarted', { credential });
      return text.includes('"authMethod":"oidc"') && text.includes(sessionId);
    });
  });

  await t.test('from then on it is the identity that counts, not the address', async (t) => {
    provider.logsIn('subject-ada', { email: 'ada@elsewhere.example.com', email_verified: false });
    t.equal((await visit(ada)).answer.status, 200);
    provider.logsIn('subject-of-a-successor', asAda);
    t.equal((await visit(ada)).answer.status, 401, 'the address was given to somebody else');
  });

  await t.test('whoever is no verified member is refused', async (t) => {
    const grace = await registerOwner(service, 'grace');
    provider.logsIn('subject-grace', { email: grace.email, email_verified: false });
    t.equal((await visit(grace)).answer.status, 401, 'the address is not verified');
    provider.logsIn('subject-nobody', { email: 'nobody@example.com', email_verified: true });
    t.equal((await visit(grace)).answer.status, 401, 'nobody');
    provider.logsIn('subject-ada', asAda);
    t.equal((await visit(grace)).answer.status, 401, 'a member of another organization');
    t.equal((await visit({ organizationId: 'no-such' })).answer.status, 401, 'no organization');
  });

  const ATTACKS: Readonly<Record<string, Visit>> = {
    'another state': { after: set('state', 'another') },
    'another nonce': { before: set('nonce', 'another') },
    'a challenge of somebody else': {
      before: set('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'),
    },
    'another code': { after: set('code', 'another') },
    'an answer in the name of another issuer': { after: set('iss', 'https://evil.example.com') },
    'no issuer': {
      after: (url) => {
        url.searchParams.delete('iss');
      },
    },
    'another browser': { cookie: () => '' },
    'an altered cookie': { cookie: (cookie) => `${cookie.slice(0, -2)}AA` },
    'a refusal of the provider': { after: set('error', 'access_denied') },
  };

  await t.test('an answer that does not fit is refused', async (t) => {
    provider.logsIn('subject-ada', asAda);
    t.plan(Object.keys(ATTACKS).length);
    for (const [name, attack] of Object.entries(ATTACKS)) {
      const { answer } = await visit(ada, attack);
      t.match(answer.body, { type: 'urn:chronoflag:problem:unauthorized' }, name);
    }
  });

  await t.test('an answer counts once', async (t) => {
    const { answer, land } = await visit(ada);
    t.equal(answer.status, 200);
    t.equal((await land()).status, 401);
  });

  await t.test('while the provider is away, it is said so', async (t) => {
    const away = { status: 503, type: 'urn:chronoflag:problem:identity-provider-unavailable' };
    // Behind a proxy a provider that is away answers, but not as one.
    const misled = await service.startAnother({ PORT: '0', OIDC_ISSUER: `${provider.issuer}/no` });
    const start = `/auth/oidc/start?organization=${ada.organizationId}`;
    t.match((await misled.get(start, { credential: null })).body, away);
    await misled.stop();
    const { url, cookie } = await begin(ada.organizationId);
    const back = await browse(url.href, callback);
    await provider.stop();
    const { body } = await service.get(`/auth/oidc/callback${back.search}`, {
      credential: null,
      headers: { cookie },
    });
    t.match(body, away);
  });
});
