import { test } from 'tap';
import { queryApp } from '../../support/query-app.js';

type Entry = Readonly<{ project: string | null; category: string }>;
type Listed = Readonly<{ items: readonly Entry[]; nextCursor?: string }>;

const as = (who: string) => ({ authorization: `Bearer ${who}` });

test('lists over projects hold only those in which the caller was given something', async (t) => {
  const { ask } = await queryApp(t);
  const projectsOf = async (who: string): Promise<readonly string[]> => {
    const answer = await ask('/projects?status=all', as(who));
    return answer.json<{ items: { key: string }[] }>().items.map(({ key }) => key);
  };
  t.strictSame(await projectsOf('acme'), ['gone', 'shop']);
  t.strictSame(await projectsOf('acme.shop'), ['shop']);
  t.strictSame(await projectsOf('acme.gone'), ['gone']);
  t.strictSame(await projectsOf('acme.nothing'), []);
});

test('the audit log tells of visible projects only, in pages and as an export', async (t) => {
  const { ask, refusal } = await queryApp(t);
  const entriesOf = async (who: string, query = ''): Promise<readonly Entry[]> =>
    (await ask(`/audit?limit=200${query}`, as(who))).json<Listed>().items;
  const exported = async (who: string): Promise<readonly Entry[]> => {
    const { body } = await ask('/audit/export', as(who));
    return body.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Entry]));
  };
  const all = await entriesOf('acme');
  const ofShop = all.filter(({ project }) => project === 'shop');
  t.ok(all.some(({ project }) => project === null));
  t.ok(ofShop.length > 0 && ofShop.length < all.length);
  t.strictSame(await entriesOf('acme.shop'), ofShop);
  t.strictSame(await exported('acme.shop'), [...ofShop].reverse());
  t.strictSame(await entriesOf('acme.shop', '&category=organization'), []);
  t.strictSame(await entriesOf('acme.nothing'), []);
  t.equal(await refusal('/audit?project=shop', as('acme.gone')), '404 project-not-found');
});

test('a cursor is good only for who may see the same', async (t) => {
  const { ask, refusal } = await queryApp(t);
  const { nextCursor = '' } = (await ask('/audit?limit=1')).json<Listed>();
  t.equal(
    await refusal(`/audit?limit=1&cursor=${nextCursor}`, as('acme.shop')),
    '400 invalid-cursor',
  );
  t.equal(await refusal(`/audit?limit=1&cursor=${nextCursor}`, as('rival')), '400 invalid-cursor');
});
