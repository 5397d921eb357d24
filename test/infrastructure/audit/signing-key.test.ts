import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import {
  type CheckpointStatement,
  signed,
  signerOf,
  type VerifyingKey,
} from '../../../src/domain/audit/checkpoint.js';
import { type Succession } from '../../../src/domain/audit/succession.js';
import {
  type AuditKey,
  loadSigningKey,
  rotateSigningKey,
  successionsFile,
} from '../../../src/infrastructure/audit/signing-key.js';
import { temporaryFolder } from '../../support/event-store.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');

const statementOf = ({ keyId }: VerifyingKey): CheckpointStatement => ({
  version: 1,
  organization: 'acme',
  from: 0,
  count: 3,
  position: 900,
  head: 'ab'.repeat(32),
  root: 'cd'.repeat(32),
  at: '2026-03-01T12:00:00.000Z',
  keyId,
});

const keyFileIn = async (
  t: Test,
): Promise<Readonly<{ file: string; load: () => Promise<AuditKey> }>> => {
  const file = join(temporaryFolder(t), 'key.pem');
  const load = (): Promise<AuditKey> => loadSigningKey({ file, mayGenerate: true });
  await load();
  return { file, load };
};

const successionsAt = (file: string): readonly Succession[] =>
  readFileSync(successionsFile(file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Succession);

const write = (file: string, successions: readonly Succession[]): void => {
  const lines = successions.map((succession) => `${JSON.stringify(succession)}\n`);
  writeFileSync(successionsFile(file), lines.join(''));
};

test('what a key signed counts after others have come after it', async (t) => {
  const { file, load } = await keyFileIn(t);
  const first = await load();
  const old = signed(first, statementOf(first));
  await rotateSigningKey(file, NOW);
  await rotateSigningKey(file, NOW);
  const third = await load();
  t.not(third.keyId, first.keyId);
  t.equal(third.retired.length, 2);
  t.equal(signerOf(third, old)?.publicKey, first.publicKey);
  t.equal(signerOf(third, signed(third, statementOf(third)))?.publicKey, third.publicKey);
  t.equal(signerOf(first, signed(third, statementOf(third))), undefined, 'not the other way');
  t.equal(statSync(file).mode & 0o777, 0o600);
});

test('each key signs which one comes next', async (t) => {
  const { file, load } = await keyFileIn(t);
  const first = await load();
  const succession = await rotateSigningKey(file, NOW);
  const second = await load();
  t.match(succession.statement, {
    keyId: second.keyId,
    publicKey: second.publicKey,
    previousKeyId: first.keyId,
    previousPublicKey: first.publicKey,
    at: NOW.toISOString(),
  });
  t.strictSame(second.successions, [succession]);
});

test('nobody puts a key of their own into the line', async (t) => {
  const { file, load } = await keyFileIn(t);
  await rotateSigningKey(file, NOW);
  const [own] = successionsAt(file);
  const stranger = await (await keyFileIn(t)).load();
  const forged = (changes: Partial<Succession['statement']>, signature: string): Succession => ({
    statement: { ...own!.statement, ...changes },
    signature,
  });
  const theirs = { previousKeyId: stranger.keyId, previousPublicKey: stranger.publicKey };
  write(file, [forged(theirs, own!.signature)]);
  t.equal((await load()).retired.length, 0, 'not with a signature that is not theirs');
  write(file, [forged({ previousPublicKey: stranger.publicKey }, own!.signature)]);
  t.equal((await load()).retired.length, 0, 'not under the name of another');
  write(file, [forged({ at: '2020-01-01T00:00:00.000Z' }, own!.signature)]);
  t.equal((await load()).retired.length, 0, 'nothing of it can be changed');
  write(file, [own!]);
  t.equal((await load()).retired.length, 1);
});

test('a rotation that was interrupted left the old key at work; the next one succeeds', async (t) => {
  const { file, load } = await keyFileIn(t);
  const first = await load();
  const kept = readFileSync(file);
  await rotateSigningKey(file, NOW);
  renameSync(file, `${file}.new`);
  writeFileSync(file, kept, { mode: 0o600 });
  t.equal((await load()).keyId, first.keyId);
  await rotateSigningKey(file, NOW);
  t.strictSame(
    (await load()).retired.map(({ keyId }) => keyId),
    [first.keyId],
  );
});

test('there is no key to come after', async (t) => {
  const file = join(temporaryFolder(t), 'none.pem');
  await t.rejects(rotateSigningKey(file, NOW), { message: /is not there/ });
});
