import { Buffer } from 'node:buffer';
import { test } from 'tap';
import { decodeRequest, encodeDocument } from '../../../src/infrastructure/flagd-sync/documents.js';

const selectorOf = (message: Buffer): string => decodeRequest(message).selector;

const field = (number: number, text: string): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);

test('a document is field 1, with its length in UTF-8 bytes', async (t) => {
  t.strictSame(encodeDocument('é'), Buffer.from([0x0a, 2, 0xc3, 0xa9]));
  t.strictSame(encodeDocument('x'.repeat(300)).subarray(0, 3), Buffer.from([0x0a, 0xac, 0x02]));
});

test('a selector is field 2, wherever it stands', async (t) => {
  t.equal(selectorOf(Buffer.alloc(0)), '');
  t.equal(selectorOf(field(1, 'provider')), '');
  t.equal(selectorOf(Buffer.concat([field(1, 'provider'), field(2, 'key')])), 'key');
  t.equal(selectorOf(Buffer.concat([field(2, 'a'), field(9, 'new'), field(2, 'b')])), 'b');
});

test('bytes that are no such request throw', async (t) => {
  t.throws(() => selectorOf(Buffer.from([0x08, 1])), RangeError);
  t.throws(() => selectorOf(Buffer.from([0x12, 5, 1])), RangeError);
  t.throws(() => selectorOf(Buffer.from([0x12])), RangeError);
});
