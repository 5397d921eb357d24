// What signing and verifying an access token costs, by algorithm; see docs/adr/0016-tokens-and-sessions.md.
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';

const TOKENS = 1_000;
const ROUNDS = 20;
const JTI = '0f3b6a52-93a1-4f0e-8d57-1c2b3a4d5e6f';

const pem = ({ privateKey, publicKey }: KeyPairKeyObjectResult) => ({
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
});

const KEYS = {
  EdDSA: pem(generateKeyPairSync('ed25519')),
  ES256: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  RS256: pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
};

/** Microseconds each. */
const costOf = (count: number, work: () => void): number => {
  const before = performance.now();
  work();
  return ((performance.now() - before) * 1000) / count;
};

const measure = (algorithm: keyof typeof KEYS) => {
  const { privateKey, publicKey: key } = KEYS[algorithm];
  const sign = createSigner({ algorithm, key: privateKey, expiresIn: 900_000, iss: 'i', aud: 'a' });
  const options = { key, algorithms: [algorithm], allowedIss: 'i', allowedAud: 'a' };
  const verify = createVerifier(options);
  const cached = createVerifier({ ...options, cache: TOKENS });
  const tokens: string[] = [];
  const signing = costOf(TOKENS, () => {
    for (let nth = 0; nth < TOKENS; nth += 1)
      tokens.push(
        sign({
          sub: 'usr_a1B2c3D4e5F6',
          tid: 'acme-x7k2pq',
          sid: `ses_${nth}`,
          jti: JTI,
          amr: ['password'],
        }),
      );
  });
  for (const token of tokens) cached(token);
  const again = (check: (token: string) => unknown): number =>
    costOf(TOKENS * ROUNDS, () => {
      for (let round = 0; round < ROUNDS; round += 1) for (const token of tokens) check(token);
    });
  return {
    algorithm,
    'sign, µs': signing.toFixed(1),
    'verify, µs': again(verify).toFixed(1),
    'cached, µs': again(cached).toFixed(2),
    length: tokens[0]?.length,
  };
};

console.table((Object.keys(KEYS) as (keyof typeof KEYS)[]).map(measure));
