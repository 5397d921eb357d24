import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signWith,
} from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { test } from 'tap';
import {
  type AccessClaims,
  accessTokens,
  isToken,
} from '../../../src/api/sessions/access-tokens.js';
import { buildApp } from '../../../src/api/http/build-app.js';
import { OWNER_GRANTS } from '../../../src/domain/access/grants.js';
import { property } from '../../support/property.js';

const ISSUER = 'https://flags.example.com';
const KID = 'our-key';
const person = {
  organizationId: 'acme',
  userId: 'usr_a1B2c3D4e5F6',
  sessionId: 'ses_a1B2c3D4e5F6',
  method: 'password',
} as const;

const pem = (key: KeyObject): string =>
  key
    .export(
      key.type === 'public' ? { type: 'spki', format: 'pem' } : { type: 'pkcs8', format: 'pem' },
    )
    .toString();

const ours = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = pem(ours.publicKey);
const asked: string[] = [];

const ourKeys = {
  publicKey: (kid: string) => {
    asked.push(kid);
    return kid === KID ? publicPem : undefined;
  },
  signing: () => ({ kid: KID, privateKey: pem(ours.privateKey) }),
};
const tokens = accessTokens(ourKeys, ISSUER);

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const HEADER = { alg: 'EdDSA', typ: 'at+jwt', kid: KID };
const CLAIMS = {
  iss: ISSUER,
  aud: 'chronoflag',
  sub: person.userId,
  tid: person.organizationId,
  sid: person.sessionId,
  amr: ['password'],
  jti: 'one',
  iat: now - 1,
  exp: now + 60,
};

/** A token by hand, signed with our key unless told otherwise. */
const forged = (
  { header = HEADER, claims = CLAIMS }: Readonly<{ header?: object; claims?: object }>,
  signature: (input: string) => Buffer = (input) =>
    signWith(null, Buffer.from(input), ours.privateKey),
): string => {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signature(input).toString('base64url')}`;
};

const hmac = (key: string | Buffer) => (input: string) =>
  createHmac('sha256', key).update(input).digest();

const without = (claim: string): object =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([name]) => name !== claim));

const jwk = createPublicKey(publicPem).export({ format: 'jwk' });
/** Our public key in all forms in which somebody could make it an HMAC key. CVE-2023-48223, CVE-2026-34950. */
const PUBLIC_KEY_FORMS: readonly (readonly [string, string | Buffer])[] = [
  ['PEM', publicPem],
  ['PEM without the last line break', publicPem.trimEnd()],
  ['PEM with a line break before', `\n${publicPem}`],
  ['PEM with spaces before', `   ${publicPem}`],
  ['PEM with a byte order mark', `\uFEFF${publicPem}`],
  ['PEM with CR LF', publicPem.replaceAll('\n', '\r\n')],
  ['DER', ours.publicKey.export({ type: 'spki', format: 'der' })],
  ['raw', Buffer.from(jwk.x ?? '', 'base64url')],
  ['JWK', JSON.stringify(jwk)],
  ['nothing', ''],
];

const good = tokens.sign(person);
const [goodHeader = '', goodClaims = '', goodSignature = ''] = good.split('.');
const otherClaims = part({ ...CLAIMS, sub: 'usr_somebodyElse' });

const VECTORS: readonly (readonly [name: string, token: string])[] = [
  ['algorithm none', forged({ header: { ...HEADER, alg: 'none' } }, () => Buffer.alloc(0))],
  ['algorithm none, signed', forged({ header: { ...HEADER, alg: 'none' } })],
  ['no signature', `${goodHeader}.${goodClaims}.`],
  ...PUBLIC_KEY_FORMS.map(
    ([form, key]) =>
      [
        `HS256 with the public key: ${form}`,
        forged({ header: { ...HEADER, alg: 'HS256' } }, hmac(key)),
      ] as const,
  ),
  [
    'RS256 with a key of its own',
    forged({ header: { ...HEADER, alg: 'RS256' } }, (input) =>
      signWith('sha256', Buffer.from(input), rsa.privateKey),
    ),
  ],
  [
    'signed by another key',
    forged({}, (input) => signWith(null, Buffer.from(input), theirs.privateKey)),
  ],
  ['other claims under a good signature', `${goodHeader}.${otherClaims}.${goodSignature}`],
  ['a signature cut short', good.slice(0, -4)],
  ['expired', forged({ claims: { ...CLAIMS, iat: now - 1000, exp: now - 60 } })],
  ['not yet valid', forged({ claims: { ...CLAIMS, nbf: now + 60 } })],
  ['another issuer', forged({ claims: { ...CLAIMS, iss: 'https://evil.example.com' } })],
  ['several issuers', forged({ claims: { ...CLAIMS, iss: [ISSUER, 'https://evil.example.com'] } })],
  ['another audience', forged({ claims: { ...CLAIMS, aud: 'another-service' } })],
  ...Object.keys(CLAIMS).map(
    (claim) => [`without ${claim}`, forged({ claims: without(claim) })] as const,
  ),
  ['a token of another type', forged({ header: { ...HEADER, typ: 'JWT' } })],
  ['a token without type', forged({ header: { alg: 'EdDSA', kid: KID } })],
  ['an unknown critical header', forged({ header: { ...HEADER, crit: ['x'], x: 1 } })],
  ['an unknown key', forged({ header: { ...HEADER, kid: 'another-key' } })],
  ['no key', forged({ header: { alg: 'EdDSA', typ: 'at+jwt' } })],
  [
    'a key that it brings itself',
    forged(
      { header: { ...HEADER, kid: 'x', jwk: theirs.publicKey.export({ format: 'jwk' }) } },
      (input) => signWith(null, Buffer.from(input), theirs.privateKey),
    ),
  ],
  ['two dots', '..'],
  [
    'a header that is no JSON',
    `${Buffer.from('{').toString('base64url')}.${goodClaims}.${goodSignature}`,
  ],
];

const app = await buildApp({
  log: pino({ level: 'silent' }),
  guard: {
    authenticate: async (credential) => {
      const claims = isToken(credential) ? tokens.verify(credential) : undefined;
      if (claims === undefined) return undefined;
      const actor = { id: claims.userId, type: 'user', authMethod: claims.method } as const;
      return { organizationId: claims.organizationId, actor, grants: OWNER_GRANTS };
    },
    verifyKey: () => undefined,
  },
  routes: [
    async (routes) => {
      routes.get('/who', { config: { permission: 'own.session' } }, async ({ caller }) => ({
        userId: caller.actor.id,
        organizationId: caller.organizationId,
      }));
    },
  ],
  operations: [],
  version: '0',
});

const ask = (token: string) =>
  app.inject({ url: '/api/v1/who', headers: { authorization: `Bearer ${token}` } });

test('what we sign is what we know', async (t) => {
  t.strictSame(tokens.verify(good), person);
  t.match((await ask(good)).json(), { userId: person.userId, organizationId: 'acme' });
  t.equal((await ask(forged({}))).statusCode, 200, 'the forge itself works');
});

test('everything else that looks like a token is refused', async (t) => {
  t.plan(VECTORS.length * 2);
  for (const [name, token] of VECTORS) {
    t.equal((await ask(token)).statusCode, 401, name);
    t.equal((await ask(token)).statusCode, 401, `${name}, again`);
  }
});

test('a good token does not make what is like it good', async (t) => {
  t.ok(tokens.verify(good));
  const last = goodSignature.at(-3) === 'A' ? 'B' : 'A';
  const tampered = `${good.slice(0, -3)}${last}${good.slice(-2)}`;
  t.equal(tokens.verify(tampered), undefined);
});

test('whose token has expired hears so', async (t) => {
  const expired = forged({ claims: { ...CLAIMS, iat: now - 1000, exp: now - 60 } });
  t.match((await ask(expired)).json(), { detail: /has expired; POST \/auth\/refresh/ });
  const theirsToo = forged({ claims: { ...CLAIMS, exp: now - 60 } }, (input) =>
    signWith(null, Buffer.from(input), theirs.privateKey),
  );
  t.notMatch((await ask(theirsToo)).json(), { detail: /expired/ }, 'nobody else does');
});

test('a signature is written in one way only', async (t) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bits = alphabet.indexOf(good.at(-1) ?? '');
  for (let spare = 1; spare < 16; spare += 1) {
    const other = `${good.slice(0, -1)}${alphabet.charAt(bits + spare)}`;
    t.equal(tokens.verify(other), undefined, other.slice(-4));
  }
});

test('keys are asked of our own set only, and what a header points to is never fetched', async (t) => {
  asked.length = 0;
  for (let nth = 0; nth < 10_000; nth += 1)
    tokens.verify(
      `${part({ ...HEADER, kid: `key-${nth}`, jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' })}.${goodClaims}.${goodSignature}`,
    );
  t.equal(asked.length, 10_000);
});

test('a key that was removed verifies nothing any more, also what was verified before', async (t) => {
  let isThere = true;
  const removable = accessTokens(
    {
      publicKey: () => (isThere ? publicPem : undefined),
      signing: () => ({ kid: KID, privateKey: pem(ours.privateKey) }),
    },
    ISSUER,
  );
  const token = removable.sign(person);
  t.ok(removable.verify(token));
  isThere = false;
  t.equal(removable.verify(token), undefined);
});

test('through a full cache every token says its own claims', async (t) => {
  const small = accessTokens(ourKeys, ISSUER, 1_000);
  const claim = fc.stringMatching(/^[\w:.-]{1,20}$/);
  const people = fc.record({
    organizationId: claim,
    userId: claim,
    sessionId: claim,
    method: fc.constantFrom('password' as const, 'oidc' as const),
  });
  const known: (readonly [token: string, claims: AccessClaims])[] = [];
  const holds = (claims: AccessClaims, earlier: number): boolean => {
    known.push([small.sign(claims), claims]);
    // Mostly one that is still in the cache, else any.
    const back = earlier % (earlier % 4 === 0 ? known.length : Math.min(known.length, 900));
    const [token = '', expected] = known.at(-1 - back) ?? [];
    return JSON.stringify(small.verify(token)) === JSON.stringify(expected);
  };
  property(t, [people, fc.nat()], holds, 10_000);
});
