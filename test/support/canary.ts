import { randomUUID } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';

/**
 * Where a run of the whole suite gathers all that services log, at the most verbose level, what their stores hold, and
 * every secret that is used: scripts/secrets.mjs looks for the secrets in it. Absent: nobody gathers.
 */
const evidence = process.env['TEST_EVIDENCE'];

const known = new Set<string>();

/** Shorter ones are in many words. */
const SHORTEST = 12;

const register = (secret: string): void => {
  if (evidence === undefined || secret.length < SHORTEST || known.has(secret)) return;
  known.add(secret);
  appendFileSync(join(evidence, 'secrets.jsonl'), `${JSON.stringify(secret)}\n`);
};

/** From here on this must be in no log and no store. Of a key that tells its kind and id: the part that is secret. */
export const keepSecret = (...secrets: readonly string[]): void => {
  for (const secret of secrets) register(/^cf_[a-z]+_\w{12}_(\w{43})$/.exec(secret)?.[1] ?? secret);
};

const KEY = /\bcf_[a-z]+_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/g;
const JWT = /\beyJ[\w-]{10,}\.[\w-]{10,}\.([\w-]{20,})/g;
const NAMED = /"(?:\w*[pP]assword|\w*[tT]oken|secret)":"((?:[^"\\]|\\.)+)"/g;
const IN_URL = /[?&](?:token|code|state)=([^&"\s\\]+)/g;

const PATTERNS = [KEY, JWT, NAMED, IN_URL];

/** Whatever looks like a secret in the text of a request or an answer. */
export const keepSecretsIn = (text: string): void => {
  if (evidence === undefined) return;
  for (const pattern of PATTERNS)
    for (const [whole, secret = whole] of text.matchAll(pattern)) keepSecret(secret);
};

/** The values of cookies that are being set. */
export const keepCookies = (cookies: readonly string[] = []): void => {
  for (const cookie of cookies) keepSecret(/^[^=]+=([^;]*)/.exec(cookie)?.[1] ?? '');
};

/** Every file of keys in a folder, line by line. */
export const keepKeyFiles = (folder: string): void => {
  const files = readdirSync(folder).filter((name) => /\.(?:pem|key)$/.test(name));
  for (const file of files)
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n'))
      if (!line.startsWith('-')) keepSecret(line.trim());
};

/** A file of evidence with this content. */
export const gather = (name: string, content: string | Buffer): void => {
  if (evidence !== undefined) appendFileSync(join(evidence, `${name}-${randomUUID()}`), content);
};

/** Tells everything, for the evidence; nothing when nobody gathers. */
export const testLogger = (): Logger => {
  if (evidence === undefined) return pino({ level: 'silent' });
  const dest = join(evidence, `log-${randomUUID()}`);
  return pino({ level: 'trace' }, pino.destination({ dest, sync: true }));
};
