import { test } from 'tap';
import { usageTally } from '../../../src/api/limits/usage-tally.js';

const VARIANTS = '/api/v1/projects/shop/flags/checkout/variants';
const bytes = (amount: number) => new Map([['bytes', amount]]);

/** A read model that stands at `position`, with what it holds there. */
const readModel = () => {
  const held = { position: 0, bytes: 0 };
  const tally = usageTally(
    async () => ({ position: held.position, amounts: bytes(held.bytes) }),
    (error) => {
      throw error;
    },
  );
  return { held, tally };
};

test('of contents that replaced each other before they were counted, the last one counts', async (t) => {
  const { held, tally } = readModel();
  for (let position = 1; position <= 50; position += 1)
    tally.take(bytes(1_000 + position), VARIANTS)(position);
  tally.take(bytes(7), `${VARIANTS}/of-another`)(51);
  t.equal(tally.used('bytes'), 1_050 + 7);
  t.equal(tally.replaced(VARIANTS, 'bytes'), 1_050, 'the next content comes in its place');
  Object.assign(held, { position: 51, bytes: 1_057 });
  await tally.refresh(0, true);
  t.equal(tally.used('bytes'), 1_057);
  t.equal(tally.replaced(VARIANTS, 'bytes'), 0);
});

test('a content counts beside the one before it until it is known to be written', (t) => {
  const { tally } = readModel();
  tally.take(bytes(100), VARIANTS)(1);
  const settle = tally.take(bytes(90), VARIANTS);
  t.equal(tally.used('bytes'), 190);
  settle(null);
  t.equal(tally.used('bytes'), 100, 'it was refused: the content before it stays');
  tally.take(bytes(80), VARIANTS)(undefined);
  t.equal(tally.used('bytes'), 180, 'nobody knows which of them is there');
  t.end();
});

test('answers that come in another order than the log has', (t) => {
  const { tally } = readModel();
  const [first, second] = [tally.take(bytes(5), VARIANTS), tally.take(bytes(60), VARIANTS)];
  second(2);
  first(1);
  t.equal(tally.used('bytes'), 60);
  t.end();
});

test('what is added counts each time', (t) => {
  const { tally } = readModel();
  for (const position of [1, 2, 3]) tally.take(bytes(10))(position);
  t.equal(tally.used('bytes'), 30);
  t.end();
});
