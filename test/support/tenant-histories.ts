import * as fc from 'fast-check';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import { type OrganizationEvent } from '../../src/domain/organization.js';
import { type Recorded } from '../../src/domain/recorded.js';
import {
  apiKeyStream,
  dependenciesStream,
  organizationStream,
  projectIdOf,
  sessionStream,
  subjectStream,
} from '../../src/domain/streams.js';
import { type Entry, logs, ORGANIZATION, PROJECT, recorded } from './histories.js';

export const TENANTS = ['acme', 'bolt', 'crown'] as const;

const joined = (userId: string): OrganizationEvent => ({
  type: 'MemberJoined',
  data: {
    userId,
    invitationId: `inv_${userId}`,
    email: `${userId}@x.org`,
    role: 'editor',
    projects: {},
  },
});

/** The aggregates that no `logs` have, each with several events. */
const everythingElse = (tenant: string): readonly Entry[] => {
  const stream = organizationStream(tenant);
  const owner = { userId: `usr_${tenant}`, email: `owner@${tenant}.org` };
  const node = { kind: 'flag', key: 'alpha' } as const;
  return [
    { stream, event: { type: 'OrganizationRegistered', data: { name: tenant, owner } } },
    {
      stream: sessionStream(tenant, owner.userId),
      event: { type: 'SessionStarted', data: { sessionId: 'ses_1', method: 'password' } },
    },
    {
      stream: apiKeyStream(tenant, 'k1'),
      event: {
        type: 'ApiKeyIssued',
        data: { keyId: 'k1', kind: 'admin', name: 'A', prefix: 'cf_' },
      },
    },
    { stream, event: { type: 'OrganizationRenamed', data: { name: `${tenant} Ltd` } } },
    {
      stream: dependenciesStream(projectIdOf(tenant, PROJECT)),
      event: { type: 'DependencyReserved', data: { node, revision: 0, requires: [] } },
    },
    { stream, event: joined('usr_2') },
    { stream: apiKeyStream(tenant, 'k1'), event: { type: 'ApiKeyRevoked', data: { keyId: 'k1' } } },
    {
      stream: subjectStream(tenant, 'sub_1'),
      event: { type: 'SubjectErased', data: { subjectId: 'sub_1' } },
    },
    { stream, event: { type: 'MemberRemoved', data: { userId: 'usr_2' } } },
    {
      stream: sessionStream(tenant, owner.userId),
      event: { type: 'SessionEnded', data: { sessionId: 'ses_1', cause: 'logged-out' } },
    },
  ];
};

/** The same history in another organization. */
const movedTo = (tenant: string, log: readonly Recorded<DomainEvent>[]): readonly Entry[] => {
  const text = JSON.stringify(
    log.map(({ stream, type, data }) => ({ stream, event: { type, data } })),
  );
  return JSON.parse(
    text
      .replaceAll(`${ORGANIZATION}:${PROJECT}`, `${tenant}:${PROJECT}`)
      .replaceAll(`"${ORGANIZATION}"`, `"${tenant}"`),
  ) as readonly Entry[];
};

/** Takes from the lists in turn, from the one that each number points to; every list keeps its order. */
const interleaved = (
  lists: readonly (readonly Entry[])[],
  turns: readonly number[],
): readonly Entry[] => {
  const left = lists.map((list) => [...list]);
  const taken: Entry[] = [];
  for (let nth = 0; left.some((list) => list.length > 0); nth += 1) {
    const open = left.filter((list) => list.length > 0);
    const list = open[(turns[nth % turns.length] ?? 0) % open.length];
    taken.push(...(list?.splice(0, 1) ?? []));
  }
  return taken;
};

/** Random logs of several organizations with the same keys: all aggregates, interleaved, times that may stand still. */
export const tenantLogs = (maxLength = 12): fc.Arbitrary<readonly Recorded<DomainEvent>[]> =>
  fc
    .tuple(
      fc.tuple(logs(maxLength), logs(maxLength), logs(maxLength)),
      fc.array(fc.nat(11), { minLength: 5, maxLength: 40 }),
      fc.constantFrom(0, 1, 1_000),
    )
    .map(([all, turns, afterMs]) => {
      const lists = TENANTS.flatMap((tenant, nth) => [
        movedTo(tenant, all[nth] ?? []),
        everythingElse(tenant),
      ]);
      return recorded(interleaved(lists, turns).map((entry) => ({ ...entry, afterMs })));
    });
