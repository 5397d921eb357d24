import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { CATALOGUE, type DomainEvent } from '../../../src/domain/catalogue.js';
import { type Metadata } from '../../../src/domain/recorded.js';
import {
  PERSONAL_FIELDS,
  rewriteEvent,
  rewriteMetadata,
} from '../../../src/domain/personal/personal-fields.js';
import { personOf } from '../../../src/domain/personal/person.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { type SegmentEvent } from '../../../src/domain/segment.js';
import { projectStream, sessionStream } from '../../../src/domain/streams.js';
import { metadata } from '../../support/metadata.js';

const FIXTURES = new URL('../../fixtures/events/', import.meta.url);

const stored = readdirSync(FIXTURES).map(
  (file) => JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as DomainEvent,
);

const textsIn = (event: DomainEvent): string[] => {
  const found: string[] = [];
  rewriteEvent(event, ({ text }) => {
    found.push(text);
    return text;
  });
  return found;
};

const hidden = (event: DomainEvent): string => JSON.stringify(rewriteEvent(event, () => 'HIDDEN'));

test('every event type says where it holds personal data, or that it holds none', async (t) => {
  t.strictSame(Object.keys(PERSONAL_FIELDS).toSorted(), Object.keys(CATALOGUE).toSorted());
});

test('no e-mail address and no targeting key of a stored example is left when it is rewritten', async (t) => {
  for (const event of stored) {
    const texts = textsIn(event);
    if (PERSONAL_FIELDS[event.type] === null) t.strictSame(texts, [], event.type);
    const left = hidden(event);
    for (const text of texts) t.notMatch(left, `"${text}"`, `${event.type} hides ${text}`);
    t.notMatch(left, /[^\s"@]+@[^\s"@]+\.[a-z]+/, `${event.type} hides addresses`);
    t.same(
      rewriteEvent(event, ({ text }) => text),
      event,
      `${event.type} keeps its shape`,
    );
  }
});

test('targets, keys of segments, and clauses that name a person are personal', async (t) => {
  const rules = [
    {
      id: 'r',
      description: 'for ann@example.com',
      clauses: [
        { attribute: 'targetingKey', operator: 'in', values: ['user-1', 7] },
        { attribute: 'targetingKey', operator: 'startsWith', values: ['user-'] },
        { anyOf: [{ attribute: 'email', operator: 'in', values: ['ann@example.com', '@x.org'] }] },
        { attribute: 'country', operator: 'in', values: ['de'] },
        { segments: ['beta'] },
      ],
      serve: { logic: { if: [{ '==': [{ var: 'email' }, 'bob@example.com'] }, 'on', 'off'] } },
    },
  ] as const;
  const changed: FlagEvent = { type: 'FlagRulesChanged', data: { environment: 'e', rules } };
  t.strictSame(textsIn(changed), ['user-1', 'ann@example.com', 'bob@example.com']);
  const keys: SegmentEvent = {
    type: 'SegmentKeysChanged',
    data: { included: ['a', 'erased:AAAAAAAA'], excluded: ['b'] },
  };
  t.strictSame(textsIn(keys), ['a', 'b'], 'what was erased is nobody any more');
});

test('two spellings of an address are one person, two keys that differ in case are two', async (t) => {
  t.equal(personOf('Ann@Example.com'), personOf('ann@example.com'));
  t.equal(personOf('Zoe\u0308'), personOf('Zo\u00eb'));
  t.not(personOf('aB3'), personOf('ab3'));
});

test('address and user agent belong to the user who acted; those of machines to nobody', async (t) => {
  const by = (type: Metadata['actor']['type']): Metadata => ({
    ...metadata('c1'),
    actor: { id: 'usr_1', type, authMethod: 'password' },
    ip: '192.0.2.1',
    userAgent: 'curl',
  });
  const hide = ({ person }: { person: string }) => `of ${person}`;
  const elsewhere = { stream: projectStream('acme:shop'), events: [] };
  const clear = { ip: '192.0.2.1', userAgent: 'curl' };
  t.match(rewriteMetadata(elsewhere, by('user'), hide), { ip: 'of usr_1', userAgent: 'of usr_1' });
  t.match(rewriteMetadata(elsewhere, by('apiKey'), hide), clear);
  t.match(rewriteMetadata(elsewhere, by('system'), hide), clear);
  const account = { stream: sessionStream('acme', 'usr_2'), events: [] };
  t.match(
    rewriteMetadata(account, by('system'), hide),
    { ip: 'of usr_2', userAgent: 'of usr_2' },
    'whoever tries to log in to an account mostly is its owner',
  );
});

test('what tells a repeated command from another says nothing of the people in it', async (t) => {
  const seal = ({ text }: { text: string }) => `sealed ${text}`;
  const of = (type: string) => {
    const to = { stream: projectStream('acme:shop'), events: [{ type, data: {} }] };
    return rewriteMetadata(to, metadata('c1', 'hash'), seal);
  };
  t.equal(of('FlagTargetsChanged').commandHash, 'sealed hash');
  t.equal(of('FlagEnabled').commandHash, 'hash');
});
