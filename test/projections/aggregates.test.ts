import { test } from 'tap';
import { CATEGORIES, parseStream } from '../../src/domain/streams.js';
import {
  isOther,
  STATE_ROWS,
  stateOfRow,
  stateReads,
  type Stated,
} from '../../src/projections/fold/aggregates.js';

const STREAMS: Readonly<Record<Stated, string>> = {
  organization: 'organization-acme',
  project: 'project-acme:shop',
  flag: 'flag-acme:shop:checkout',
  segment: 'segment-acme:shop:staff',
};

test('a stream has a state in rows or is one of those that the audit trail alone has', async (t) => {
  const stated = CATEGORIES.filter((category) => !isOther(category));
  t.strictSame(stated.toSorted(), Object.keys(STATE_ROWS).toSorted());
});

test('the columns that name the rows of a stream are those that its own name is made of', async (t) => {
  for (const stream of Object.values(STREAMS)) {
    const [asked] = stateReads([{ stream, parts: parseStream(stream) }]);
    if (asked === undefined) throw new Error(`Nothing is read for ${stream}.`);
    const { category, text, values } = asked;
    t.match(text, `join ${category} t`);
    const { identity } = STATE_ROWS[category];
    const named = Object.fromEntries(identity.map((column, nth) => [column, values[nth]?.[0]]));
    const row = { ...named, revision: 3, position: 7, state: {} };
    t.match(stateOfRow(category, row), [stream, { category, revision: 3, position: 7 }]);
  }
});

test('what is asked of streams of several kinds is one statement for each kind that has rows', async (t) => {
  const streams = [...Object.values(STREAMS), 'flag-acme:shop:banner', 'session-acme:anna'];
  const asked = stateReads(streams.map((stream) => ({ stream, parts: parseStream(stream) })));
  t.strictSame(
    asked.map(({ category }) => category),
    ['organization', 'project', 'flag', 'segment'],
  );
  const flags = asked.find(({ category }) => category === 'flag');
  t.strictSame(flags?.values, [
    ['acme:shop', 'acme:shop'],
    ['checkout', 'banner'],
  ]);
});
