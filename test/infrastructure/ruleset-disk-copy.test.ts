import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type Position } from '../../src/domain/position.js';
import { rulesetDiskCopy } from '../../src/infrastructure/rulesets/disk-copy.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';
import { rulesetMemory, type Rulesets } from '../../src/queries/evaluation/ruleset-memory.js';
import { aRuleset, aSegment, aSplit, contentsOf } from '../support/rulesets.js';
import { silentLog } from '../support/silent-log.js';

const rulesetsAt = (position: number): Rulesets => {
  const memory = rulesetMemory({ compileRegex });
  const rulesets = [
    aRuleset('é', { position }),
    aRuleset('s', { configuration: { fallthrough: aSplit([['on', 100_000]]) } }),
  ];
  const prod = { isComplete: true, ...contentsOf(rulesets, [aSegment('testers', ['anna'])]) };
  const environments = new Map([
    ['acme:shop:production', prod],
    ['acme:shop:empty', { isComplete: true, ...contentsOf([]) }],
  ]);
  memory.publish({ source: 'redis', position, isComplete: true, environments });
  const current = memory.current();
  if (current === undefined) throw new Error('Nothing was published.');
  return current;
};

const inFolder = async (t: Test) => {
  const folder = await mkdtemp(join(tmpdir(), 'ruleset-copy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'below', 'rulesets');
  const log = silentLog();
  return { path, log, copy: rulesetDiskCopy(path, log) };
};

test('what was saved is loaded, empty environments too', async (t) => {
  const { path, copy } = await inFolder(t);
  t.equal(await copy.load(), undefined);
  await copy.save(rulesetsAt(10));
  const loaded = await rulesetDiskCopy(path, silentLog()).load();
  t.equal(loaded?.position, 10);
  t.strictSame(
    [...(loaded?.environments.keys() ?? [])],
    ['acme:shop:production', 'acme:shop:empty'],
  );
  const production = loaded?.environments.get('acme:shop:production');
  t.strictSame(production?.flags.get('é'), aRuleset('é', { position: 10 }));
  t.strictSame([...(production?.segments.values() ?? [])], [aSegment('testers', ['anna'])]);
  t.strictSame(await readdir(join(path, '..')), ['rulesets']);
});

test('a copy cut off at any byte is ignored for the one before', async (t) => {
  const { path, copy } = await inFolder(t);
  await copy.save(rulesetsAt(10));
  await copy.save(rulesetsAt(11));
  const whole = await readFile(path);
  const positions = new Set<Position | undefined>();
  for (let length = 0; length < whole.length; length += 1) {
    await writeFile(path, whole.subarray(0, length));
    positions.add((await copy.load())?.position);
  }
  t.strictSame([...positions], [10]);
  await writeFile(path, whole);
  t.equal((await copy.load())?.position, 11);
});

test('a copy with any byte altered is ignored for the one before', async (t) => {
  const { path, copy } = await inFolder(t);
  await copy.save(rulesetsAt(10));
  await copy.save(rulesetsAt(11));
  const whole = await readFile(path);
  const positions = new Set<Position | undefined>();
  for (let index = 0; index < whole.length; index += 1) {
    const altered = Buffer.from(whole);
    altered[index] = (altered[index] ?? 0) ^ (1 << (index % 8));
    await writeFile(path, altered);
    positions.add((await copy.load())?.position);
  }
  t.strictSame([...positions], [10]);
});

test('a copy written by newer code is ignored with a line in the log', async (t) => {
  const { path, log, copy } = await inFolder(t);
  await copy.save(rulesetsAt(10));
  await copy.save(rulesetsAt(11));
  const body = `${JSON.stringify({ format: 2, position: 99, writtenAt: 0 })}\n`;
  await writeFile(path, `${body}${createHash('sha256').update(body).digest('hex')}\n`);
  t.equal((await copy.load())?.position, 10);
  t.equal(log.messages.length, 1);
});

test('a bad copy never takes the place of the good one before', async (t) => {
  const { path, copy } = await inFolder(t);
  await copy.save(rulesetsAt(10));
  await copy.save(rulesetsAt(11));
  await writeFile(path, 'torn');
  const restarted = rulesetDiskCopy(path, silentLog());
  t.equal((await restarted.load())?.position, 10);
  await restarted.save(rulesetsAt(12));
  t.equal((await restarted.load())?.position, 12);
  await writeFile(path, 'torn again');
  t.equal((await restarted.load())?.position, 10);
});

test('without any copy that can be used there is none, and what killed writers left goes', async (t) => {
  const { path, copy } = await inFolder(t);
  await copy.save(rulesetsAt(10));
  await writeFile(path, '');
  await writeFile(`${path}.0000.new`, 'half');
  await copy.sweep();
  t.equal(await copy.load(), undefined);
  t.strictSame(await readdir(join(path, '..')), ['rulesets']);
});
