import { test } from 'tap';
import { CHAIN_START, type Link, linkAfter } from '../../../src/domain/audit/chain.js';

const event = {
  id: '018f2b7c-0000-4000-8000-000000000001',
  type: 'FlagEnabled',
  stream: 'flag-acme:shop:checkout',
  revision: 3,
  position: 1200,
  recordedAt: '2026-03-01T12:00:00.000Z',
  data: { environment: 'production' },
  metadata: { actor: { id: 'ann', type: 'user', authMethod: 'none' }, schemaVersion: 1 },
};
const previous: Link = { sequence: 4, hash: 'ab'.repeat(32) };

test('a link is what it always was', async (t) => {
  t.strictSame(linkAfter(CHAIN_START, 'acme', event), {
    sequence: 1,
    hash: 'e5180cb4b22f1357d887d5da126da66c78938f9d0f49155670185ed2c4bca00c',
  });
});

test('the order of members makes no difference', async (t) => {
  const turned = Object.fromEntries(Object.entries(event).reverse()) as typeof event;
  t.strictSame(linkAfter(previous, 'acme', turned), linkAfter(previous, 'acme', event));
});

test('whatever is changed changes the hash', async (t) => {
  const { hash } = linkAfter(previous, 'acme', event);
  const changes = {
    id: '018f2b7c-0000-4000-8000-000000000002',
    type: 'FlagDisabled',
    stream: 'flag-acme:shop:other',
    revision: 4,
    position: 1201,
    recordedAt: '2026-03-01T12:00:00.001Z',
    data: { environment: 'development' },
    metadata: { ...event.metadata, schemaVersion: 2 },
  };
  t.strictSame(Object.keys(changes).toSorted(), Object.keys(event).toSorted());
  for (const [name, value] of Object.entries(changes))
    t.not(linkAfter(previous, 'acme', { ...event, [name]: value }).hash, hash, name);
  t.not(linkAfter(previous, 'rival', event).hash, hash);
  t.not(linkAfter({ ...previous, sequence: 5 }, 'acme', event).hash, hash);
  t.not(linkAfter({ ...previous, hash: 'ac'.repeat(32) }, 'acme', event).hash, hash);
});
