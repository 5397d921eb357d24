import fc from 'fast-check';
import { test } from 'tap';
import { hashPrefix, murmur3 } from '../../../src/domain/evaluation/murmur3.js';
import { fixture } from '../../support/fixture.js';
import { property } from '../../support/property.js';

/** The algorithm as published, over bytes: slow, plain, and written apart from ours. */
const reference = (bytes: Uint8Array): number => {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & mask;
  const scramble = (k: bigint): bigint =>
    (rotate((k * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
  const block = (from: number, to: number): bigint =>
    bytes.slice(from, to).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const whole = bytes.length - (bytes.length % 4);
  let h = 0n;
  for (let i = 0; i < whole; i += 4)
    h = (rotate(h ^ scramble(block(i, i + 4)), 13n) * 5n + 0xe6546b64n) & mask;
  h ^= scramble(block(whole, bytes.length)) ^ BigInt(bytes.length);
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(h ^ (h >> 16n));
};

const isUtf8Hash = (text: string): boolean =>
  murmur3(text) === reference(new TextEncoder().encode(text));

test('the hash of every golden text is the one that flagd computes', async (t) => {
  const vectors = fixture<{ text: string; hash: number }[]>('evaluation/murmur3.json');
  t.plan(vectors.length);
  for (const { text, hash } of vectors) t.equal(murmur3(text), hash, JSON.stringify(text));
});

test('any text hashes as its UTF-8 bytes do, lone surrogates as U+FFFD', async (t) => {
  property(t, [fc.string({ unit: 'binary', maxLength: 60 })], (text) => isUtf8Hash(text));
  property(t, [fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 9 })], (units) =>
    isUtf8Hash(String.fromCharCode(...units)),
  );
});

test('a beginning hashed ahead gives the hash of the whole text', async (t) => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  property(
    t,
    [text, text],
    (beginning, rest) => murmur3(rest, hashPrefix(beginning)) === murmur3(beginning + rest),
  );
});
