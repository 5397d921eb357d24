import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { OWNER_GRANTS } from '../../src/domain/access/grants.js';
import { CATALOGUE, type DomainEvent, isKnownType } from '../../src/domain/catalogue.js';
import { evolveFlag, type Flag } from '../../src/domain/flag/flag.js';
import { type ApiKey, evolveApiKey } from '../../src/domain/api-key.js';
import { evolveOrganization, type Organization } from '../../src/domain/organization.js';
import { evolveProject, type Project } from '../../src/domain/project.js';
import { type Recorded } from '../../src/domain/recorded.js';
import { evolveOperations } from '../../src/domain/operations.js';
import { type CommandsRefused, evolveRefusals } from '../../src/domain/refusals.js';
import { evolveSegment, type Segment } from '../../src/domain/segment.js';
import { evolveSessions } from '../../src/domain/session.js';
import { parseStream } from '../../src/domain/streams.js';
import { content } from '../support/flags.js';

const FIXTURES = new URL('../fixtures/events/', import.meta.url);

const stored = readdirSync(FIXTURES).map((file) => ({
  file,
  event: JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as Recorded<DomainEvent>,
}));

const documented = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

const flag: Flag = { ...content, status: 'active' };
const segment: Segment = {
  status: 'active',
  projectId: 'default:demo',
  key: 'beta-testers',
  name: 'Beta testers',
  description: '',
  tags: [],
  included: ['user-1'],
  excluded: [],
  rules: [{ id: 'first', description: '', clauses: [{ segments: ['others'] }] }],
};
const apiKey: ApiKey = {
  status: 'active',
  kind: 'admin',
  name: 'deploy',
  scope: {},
  grants: OWNER_GRANTS,
};
const project: Project = {
  status: 'active',
  organizationId: 'default',
  key: 'demo',
  name: 'demo',
  description: '',
  environments: ['production', 'staging'].map((key) => ({
    key,
    name: key,
    description: '',
    color: '#000000',
    isProduction: false,
    status: 'active',
  })),
};

const member = { email: 'a@example.com', role: 'editor', projects: {} } as const;
const organization: Organization = {
  status: 'active',
  name: 'Default organization',
  members: [
    { ...member, userId: 'usr_o1W2n3E4r5S6', role: 'owner' },
    { ...member, userId: 'usr_e1D2i3T4o5R6' },
  ],
  invitations: [{ ...member, invitationId: 'o1P2e3N4i5N6', expiresAt: '2026-11-28T04:00:00.000Z' }],
};

/** The state after an event, as text: to be seen, and to be compared with the state before. */
const folded = (event: DomainEvent): [before: unknown, after: unknown] => {
  switch (CATALOGUE[event.type]) {
    case 'flag': {
      const isFirst = event.type === 'FlagCreated';
      const before: Flag = isFirst ? { status: 'absent' } : flag;
      return [before, evolveFlag(before, event as Parameters<typeof evolveFlag>[1])];
    }
    case 'project': {
      const isFirst = event.type === 'ProjectCreated';
      const before: Project = isFirst ? { status: 'absent' } : project;
      return [before, evolveProject(before, event as Parameters<typeof evolveProject>[1])];
    }
    case 'segment': {
      const isFirst = event.type === 'SegmentCreated';
      const before: Segment = isFirst ? { status: 'absent' } : segment;
      return [before, evolveSegment(before, event as Parameters<typeof evolveSegment>[1])];
    }
    case 'dependencies':
    case 'subject':
      return [null, event.data];
    case 'organization': {
      const isFirst = event.type === 'OrganizationRegistered';
      const before: Organization = isFirst ? { status: 'absent' } : organization;
      return [
        before,
        evolveOrganization(before, event as Parameters<typeof evolveOrganization>[1]),
      ];
    }
    case 'refusals':
      return [null, evolveRefusals({ status: 'absent' }, event as CommandsRefused)];
    case 'operations':
      return [null, evolveOperations({ status: 'absent' }, event as never)];
    case 'session':
      return [null, evolveSessions({ status: 'absent' }, event as never)];
    case 'apiKey': {
      const before: ApiKey = event.type === 'ApiKeyIssued' ? { status: 'absent' } : apiKey;
      return [before, evolveApiKey(before, event as Parameters<typeof evolveApiKey>[1])];
    }
  }
};

test('every event type has a stored example of version 1, and there are no others', async (t) => {
  t.strictSame(
    stored.map(({ file }) => file).toSorted(),
    Object.keys(CATALOGUE)
      .map((type) => `${type}.v1.json`)
      .toSorted(),
  );
});

test('every stored example is understood and folds', async (t) => {
  t.plan(stored.length * 3);
  for (const { file, event } of stored) {
    t.ok(isKnownType(event.type), `${file} has a known type`);
    t.equal(parseStream(event.stream)?.category, CATALOGUE[event.type], `${file} has its category`);
    t.doesNotThrow(() => folded(event), `${file} folds`);
  }
});

/** Undo what the starting state has not, or only remember something; the fold must still not fail. */
const CHANGES_NOTHING_HERE = [
  'FlagImported',
  'SegmentImported',
  'FlagUnarchived',
  'ProjectRestored',
  'EnvironmentRestored',
  'FlagDisabled',
];

test('every stored example changes the state it is folded into', async (t) => {
  const changing = stored.filter(({ event }) => !CHANGES_NOTHING_HERE.includes(event.type));
  t.plan(changing.length);
  for (const { file, event } of changing) {
    const [before, after] = folded(event);
    t.notSame(after, before, `${file} changes something`);
  }
});

const described = [...documented.matchAll(/^\| `([A-Z]\w+)` +\|(.*)$/gm)].map(
  ([, type = '', row = '']) => ({ type, row }),
);

test('docs/events.md has every event type once, and no other', async (t) => {
  t.strictSame(described.map(({ type }) => type).toSorted(), Object.keys(CATALOGUE).toSorted());
});

test('docs/events.md names the fields of every small event', async (t) => {
  for (const { event } of stored) {
    const row = described.find(({ type }) => type === event.type)?.row ?? '';
    if (/the content|as `/.test(row)) continue;
    for (const field of Object.keys(event.data)) {
      t.match(row, `\`${field}\``, `${event.type}.${field} is described`);
    }
  }
});
