import { test } from 'tap';
import { bulk, ofrepApp } from '../../support/ofrep-app.js';
import { aRuleset } from '../../support/rulesets.js';
import { configTag } from '../../../src/queries/evaluation/config-tag.js';

const FLAGS = [aRuleset('a'), aRuleset('b')];
const CHANGED = [aRuleset('a', { salt: 'other' }), aRuleset('b')];

const started = async (t: Parameters<typeof ofrepApp>[0]) => {
  const ofrep = await ofrepApp(t, { rulesets: FLAGS });
  const first = await bulk(ofrep);
  const tagNow = (): string => {
    const environment = ofrep.memory.current()?.environments.get('acme:shop:production');
    return environment === undefined ? '' : configTag(environment);
  };
  return { ofrep, first, tagNow, held: { 'if-none-match': first.etag } };
};

test('a client that was told of what this process has may keep its answer', async (t) => {
  const { ofrep, first, tagNow, held } = await started(t);
  const told = `${tagNow()}.${first.position}`;
  for (const text of [told, `"${told}"`, `W/"${told}"`]) {
    const query = `?flagConfigEtag=${encodeURIComponent(text)}`;
    t.equal((await bulk(ofrep, held, query)).status, 304, text);
  }
});

test('told of anything else it gets an answer, whatever it has', async (t) => {
  const { ofrep, first, held } = await started(t);
  for (const query of [
    `?flagConfigEtag=${'0'.repeat(32)}.${first.position}`,
    '?flagConfigEtag=anything',
    '?flagConfigEtag=',
    '?flagConfigLastModified=1771622898',
    '?flagConfigLastModified=2026-01-01T00:00:00Z',
  ])
    t.equal((await bulk(ofrep, held, query)).status, 200, query);
});

test('a process that is behind waits for what the client was told of', async (t) => {
  const { ofrep, first, tagNow, held } = await started(t);
  const ahead = first.position + 1;
  const asking = bulk(ofrep, held, `?flagConfigEtag=${'f'.repeat(32)}.${ahead}`);
  await new Promise(setImmediate);
  const before = tagNow();
  ofrep.publish(CHANGED);
  t.match(await asking, { status: 200, position: ahead });
  t.not(tagNow(), before);
});

test('the tag says what an environment serves, and nothing of how it came to that', async (t) => {
  const { ofrep, tagNow } = await started(t);
  const first = tagNow();
  ofrep.publish(CHANGED);
  t.not(tagNow(), first);
  ofrep.publish(FLAGS.toReversed().map((flag) => ({ ...flag, revision: 17, position: 103 })));
  t.equal(tagNow(), first);
  ofrep.publish([aRuleset('b'), { ...aRuleset('a'), metadata: { owner: 'shop' } }]);
  t.not(tagNow(), first);
  const two = [aRuleset('a', { salt: 'x' }), aRuleset('b', { salt: 'y' })];
  ofrep.publish(two);
  const one = tagNow();
  ofrep.publish([aRuleset('a', { salt: 'y' }), aRuleset('b', { salt: 'x' })]);
  t.not(tagNow(), one, 'the same parts at other flags are something else');
});
