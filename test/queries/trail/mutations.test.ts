import { test } from 'tap';
import { CHAIN_START, linkAfter, type StoredEvent } from '../../../src/domain/audit/chain.js';
import { type CheckpointStatement } from '../../../src/domain/audit/checkpoint.js';
import { merkleRoot } from '../../../src/domain/audit/merkle.js';
import { compareTrail, pairUp } from '../../../src/queries/trail/compare-trail.js';
import { judgeCompleteness, judgeIntegrity } from '../../../src/queries/trail/verify-trail.js';
import { type WitnessedEvent } from '../../../src/queries/trail/witness.js';

const ACME = 'acme';
const SIZE = 12;

const events: readonly StoredEvent[] = Array.from({ length: SIZE }, (_, nth) => ({
  id: `018f2b7c-0000-4000-8000-${String(nth).padStart(12, '0')}`,
  type: nth === 0 ? 'FlagCreated' : 'FlagEnabled',
  stream: `flag-acme:shop:checkout-${nth % 3}`,
  revision: Math.floor(nth / 3),
  position: 100 + 10 * nth,
  recordedAt: `2026-03-01T12:00:${String(nth).padStart(2, '0')}.000Z`,
  data: { environment: 'production', nth },
  metadata: { actor: { id: 'ann' }, schemaVersion: 1 },
}));

/** What the read model remembers of a log. */
const rememberedOf = (log: readonly StoredEvent[]): readonly WitnessedEvent[] => {
  let link = CHAIN_START;
  return log.map((event) => {
    link = linkAfter(link, ACME, event);
    const { position, stream, revision, type, id } = event;
    return { organization: ACME, position, stream, revision, type, id, ...link };
  });
};

const remembered = rememberedOf(events);

const kept: CheckpointStatement = {
  ...{ version: 1, organization: ACME, from: 0, count: SIZE, keyId: '0'.repeat(16) },
  position: Number(events.at(-1)?.position ?? 0),
  head: remembered.at(-1)?.hash ?? '',
  root: merkleRoot(remembered.map(({ hash }) => hash ?? '')),
  at: '2026-03-01T12:01:00.000Z',
};

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

/** The verdicts, shortened: `integrity/completeness`. */
const verdicts = async (
  log: readonly StoredEvent[],
  witness: readonly WitnessedEvent[] = remembered,
): Promise<string> => {
  const comparison = compareTrail(ACME, [kept], events.at(-1)?.position ?? 0);
  for await (const pair of pairUp(each(log), each(witness))) comparison.take(pair);
  const compared = comparison.result();
  const judged = [judgeIntegrity(compared, kept), judgeCompleteness(compared, kept)];
  return judged.map(({ verdict }) => verdict).join('/');
};

const replacedAt = (at: number, change: Partial<StoredEvent>): readonly StoredEvent[] =>
  events.map((event, nth) => (nth === at ? { ...event, ...change } : event));

/** Every text that differs from this one in one bit. */
const flippedBits = (text: string): readonly string[] => {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return flipped.toString('latin1');
  });
};

/** What the store gives for stored text: undefined when it is no JSON any more. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

test('a log that is as it was holds', async (t) => {
  t.equal(await verdicts(events), 'holds/holds');
});

test('any bit of what an event says is seen to be another', async (t) => {
  const at = 5;
  const { data, metadata, id, type } = events[at]!;
  const changes: readonly Partial<StoredEvent>[] = [
    ...flippedBits(JSON.stringify(data)).map((text) => ({ data: parsed(text) })),
    ...flippedBits(JSON.stringify(metadata)).map((text) => ({ metadata: parsed(text) })),
    ...flippedBits(type).map((text) => ({ type: text })),
    ...flippedBits(id).map((text) => ({ id: text })),
    ...flippedBits(events[at]!.stream).map((stream) => ({ stream })),
    ...flippedBits(events[at]!.recordedAt).map((recordedAt) => ({ recordedAt })),
  ];
  const found = new Set<string>();
  for (const change of changes)
    found.add((await verdicts(replacedAt(at, change))).split('/')[0] ?? '');
  t.ok(changes.length > 1_000, `${changes.length} bits`);
  t.strictSame([...found], ['broken']);
});

test('any event that is altered, dropped, put in, swapped or moved is found', async (t) => {
  for (const [at, event] of events.entries()) {
    const rest = events.filter((_, nth) => nth !== at);
    const inserted = { ...event, id: 'another', position: Number(event.position) - 1 };
    t.match(await verdicts(replacedAt(at, { data: {} })), /^broken/, `altered ${at}`);
    t.match(await verdicts(replacedAt(at, { revision: 99 })), /^broken/, `revised ${at}`);
    t.match(await verdicts(replacedAt(at, { position: Number(event.position) + 1 })), /^broken/);
    t.match(await verdicts(rest), /\/broken$/, `dropped ${at}`);
    t.match(await verdicts(events.toSpliced(at, 0, inserted)), /^broken/, `put in ${at}`);
    const next = events[at + 1];
    if (next === undefined) continue;
    const swapped = events
      .with(at, { ...next, position: event.position })
      .with(at + 1, { ...event, position: next.position });
    t.match(await verdicts(swapped), /^broken/, `swapped ${at}`);
  }
});

test('a log that ends too early is found, wherever it ends', async (t) => {
  for (let size = 0; size < SIZE; size += 1)
    t.match(await verdicts(events.slice(0, size)), /\/broken$/, `the first ${size}`);
});

test('a shorter log that is right in itself, with a read model of its own, is found with a checkpoint kept outside', async (t) => {
  for (let size = 0; size < SIZE; size += 1) {
    const shorter = events.slice(0, size);
    t.match(await verdicts(shorter, rememberedOf(shorter)), /\/broken$/, `the first ${size}`);
  }
});

test('a longer log with the same beginning is no forgery', async (t) => {
  const more = { ...events[0]!, id: 'more', position: 10_000 };
  t.equal(await verdicts([...events, more]), 'holds/holds');
});
