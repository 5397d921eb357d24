// Looks for every secret that the tests used in all that services logged and stored meanwhile: test/support/canary.ts
// gathers both in one folder. There must be none.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LIST = 'secrets.jsonl';

/** A secret that is in a log on purpose: who does not find it would find no other. */
const CONTROL = 'this-one-has-to-be-found';

/** As it is, and as it is in URLs, in JSON and in base64. */
const spellingsOf = (secret) => [
  ...new Set([
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]),
];

const prefixAt = (bytes, at) =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/** Needles by their first four bytes: a file is gone through once, whatever their number. */
const needlesOf = (secrets) => {
  const byPrefix = new Map();
  for (const secret of secrets)
    for (const spelling of spellingsOf(secret)) {
      const bytes = Buffer.from(spelling);
      const prefix = prefixAt(bytes, 0);
      byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), { secret, bytes }]);
    }
  return byPrefix;
};

const CONTEXT = 60;

/** Every secret in these bytes, with what is around it. */
const secretsIn = (bytes, needles) => {
  const found = new Map();
  for (let at = 0; at + 4 <= bytes.length; at += 1) {
    const candidates = needles.get(prefixAt(bytes, at));
    if (candidates === undefined) continue;
    for (const { secret, bytes: needle } of candidates)
      if (bytes.subarray(at, at + needle.length).equals(needle))
        found.set(secret, bytes.toString('latin1', Math.max(at - CONTEXT, 0), at));
  }
  return found;
};

/**
 * @returns how many secrets were looked for in how many bytes, and where some were: without the secrets themselves
 */
export const findSecrets = (folder) => {
  const list = join(folder, LIST);
  appendFileSync(list, `${JSON.stringify(CONTROL)}\n`);
  appendFileSync(join(folder, 'control'), `{"msg":"${CONTROL}"}`);
  const secrets = new Set(
    readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
  const needles = needlesOf(secrets);
  const places = [];
  let bytes = 0;
  let isControlFound = false;
  for (const name of readdirSync(folder).filter((name) => name !== LIST)) {
    const content = readFileSync(join(folder, name));
    bytes += content.length;
    for (const [secret, before] of secretsIn(content, needles))
      if (secret === CONTROL) isControlFound = true;
      else places.push(`${name}: …${before}[${secret.length} characters that are secret]`);
  }
  if (!isControlFound) throw new Error('What was logged on purpose was not found.');
  return { secrets: secrets.size - 1, bytes, places };
};

/** @throws Error that tells where secrets are */
export const requireNoSecrets = (folder) => {
  if (!existsSync(join(folder, LIST))) return;
  const { secrets, bytes, places } = findSecrets(folder);
  console.log(`  ${secrets} secrets, ${(bytes / 1e6).toFixed(1)} MB of logs and stores`);
  if (places.length > 0) throw new Error([...new Set(places)].slice(0, 40).join('\n'));
};
