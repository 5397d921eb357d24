import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { InvalidConfig, loadConfig } from '../src/config.js';

const SECRETS = [
  ['METRICS_TOKEN', 'short'],
  ['METRICS_TOKEN', 'abababababababababab'],
  ['MASTER_KEY', 'c2hvcnQ='],
] as const;

for (const [variable, value] of SECRETS)
  test(`a ${variable} that can be guessed is refused, and not repeated`, async (t) => {
    try {
      loadConfig({ [variable]: value });
      t.fail('it was taken');
    } catch (error) {
      t.ok(error instanceof InvalidConfig);
      t.match(String(error), variable);
      t.notMatch(String(error), value);
    }
  });

const OUTGOING = ['OIDC_ISSUER', 'AUDIT_CHECKPOINT_WEBHOOK', 'INVITATION_WEBHOOK'] as const;

/** Not over TLS, not on this machine though it looks like it, or with a secret in it. */
const UNSAFE_URLS = [
  'http://example.com/',
  'http://127.0.0.1.example.com/',
  'http://127.0.0.1@example.com/',
  'http://localhost:80@example.com/',
  'http://169.254.169.254/latest/meta-data/',
  'https://someone:password@example.com/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'https://',
];

const SAFE_URLS = [
  'https://example.com/hooks/one?of=two',
  'http://127.0.0.1:8025/',
  'http://localhost:8025',
  'http://[::1]:8025/',
];

test('what is sent elsewhere goes over TLS, or stays on this machine', async (t) => {
  for (const variable of OUTGOING) {
    for (const url of UNSAFE_URLS)
      t.throws(() => loadConfig({ [variable]: url }), { message: variable }, `${variable}=${url}`);
    for (const url of SAFE_URLS)
      t.doesNotThrow(() => loadConfig({ [variable]: url }), `${variable}=${url}`);
  }
});

const WRONG: readonly (readonly [variable: string, value: string, told: RegExp])[] = [
  ['EVENTSTORE_URL', 'http://host:2113', /must begin with esdb:/],
  ['EVENTSTORE_URL', 'esdb://', /host 1 is not one/],
  ['EVENTSTORE_URL', 'esdb://host:99999', /host 1 is not one/],
  ['EVENTSTORE_URL', 'esdb://host?tls=maybe', /tls must be true or false/],
  ['EVENTSTORE_URL', 'esdb://host?tsl=true', /option 1 is not known/],
  [
    'EVENTSTORE_URL',
    'esdb://host?keepAliveInterval=1s',
    /keepAliveInterval must be a whole number/,
  ],
  ['EVENTSTORE_URL', 'esdb://user:p%zz@host', /must be percent-encoded/],
  ['EVENTSTORE_URL', 'esdb://user:p@ss@host', /must be percent-encoded/],
  ['DATABASE_URL', 'postgres://user:pa/ss@host/db', /must be percent-encoded/],
  ['REDIS_URL', 'redis://:pa?ss@host', /must be percent-encoded/],
  ['SIGNING_KEY_DAYS', '1.5', /whole number/],
  ['TRUSTED_PROXIES', '10.0.0.0/99', /addresses or networks/],
];

test('what is wrong is told in words, and its value is not', async (t) => {
  for (const [variable, value, told] of WRONG)
    t.throws(
      () => loadConfig({ [variable]: value }),
      { name: 'InvalidConfig', message: told },
      value,
    );
  t.doesNotThrow(() => loadConfig({ TRUSTED_PROXIES: '10.0.0.0/8,::1,fd00::/8' }));
});

test('what .env.example gives is what is without it', async (t) => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const given = [...text.matchAll(/^([A-Z_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]);
  t.ok(given.length > 10);
  t.strictSame(loadConfig(Object.fromEntries(given) as NodeJS.ProcessEnv), loadConfig({}));
});
