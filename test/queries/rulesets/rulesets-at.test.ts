import { test } from 'tap';
import { DomainError } from '../../../src/domain/decider.js';
import { absentFlag, evolveFlag } from '../../../src/domain/flag/flag.js';
import { type FlagEvent } from '../../../src/domain/flag/events.js';
import { type Position } from '../../../src/domain/position.js';
import { type ExistingProject } from '../../../src/domain/project.js';
import { rulesetsAt } from '../../../src/queries/evaluation/rulesets-at.js';
import { type StateSource } from '../../../src/queries/entities/entity-at.js';
import { segmentContent } from '../../support/histories.js';
import { archived, created, deleted, enabled, ENVIRONMENT, FLAG } from '../../support/flags.js';

const RECORDED_AT = '2026-01-01T00:00:00.000Z';
const provenance = { revision: 0, createdAt: RECORDED_AT, updatedAt: RECORDED_AT };
const address = { organizationId: 'acme', project: 'web', environment: ENVIRONMENT };

const environmentOf = (status: 'active' | 'deleted') =>
  ({ key: ENVIRONMENT, name: '', description: '', color: '', isProduction: true, status }) as const;

/** The history of one flag; an event's position is ten times its place. */
const sourceOf = (
  history: readonly FlagEvent[],
  project: Partial<ExistingProject> = {},
): Pick<StateSource, 'project' | 'flags' | 'segments'> => ({
  project: async () => ({
    key: 'web',
    name: '',
    description: '',
    status: 'active',
    environments: [environmentOf('active')],
    ...provenance,
    ...project,
    lastChange: { eventId: '', actor: { id: '', type: 'user', authMethod: '' } } as never,
  }),
  flags: async (_, { position }) => {
    const revision = Math.floor(Number(position) / 10);
    const state = history.slice(0, revision + 1).reduce(evolveFlag, absentFlag);
    if (state.status === 'absent') return [];
    return [{ state, revision, position: revision * 10, recordedAt: RECORDED_AT }];
  },
  segments: async (_, { position }) =>
    (['active', 'deleted'] as const).map((status, nth) => ({
      state: { ...segmentContent(status), included: ['anna'], status },
      revision: nth,
      position,
      recordedAt: RECORDED_AT,
    })),
});

/** Event n is recorded n seconds after 1970 began. */
const recordedAt = async (position: Position): Promise<number> => Number(position) * 1_000;

const at = (position: number, source: Pick<StateSource, 'project' | 'flags' | 'segments'>) =>
  rulesetsAt(
    source,
    async ({ position: asked = 0 }) => ({ position: asked }),
    recordedAt,
  )(address, {
    position,
  });

test('rulesets are those of the position', async (t) => {
  const source = sourceOf([created, enabled, archived, deleted]);
  const seen = async (position: number) => {
    const { contents, position: stood } = await at(position, source);
    t.equal(stood, position);
    return [...contents.flags.values()].map(({ key, revision, isArchived, configuration }) => [
      key,
      revision,
      isArchived,
      configuration.enabled,
    ]);
  };
  t.strictSame(await seen(-1), []);
  t.strictSame(await seen(0), [[FLAG, 0, false, false]]);
  t.strictSame(await seen(19), [[FLAG, 1, false, true]]);
  t.strictSame(await seen(20), [[FLAG, 2, true, true]]);
  t.strictSame(await seen(30), [], 'a deleted flag is not evaluated');
});

test('segments are those of the position, without the deleted ones', async (t) => {
  const { contents } = await at(5, sourceOf([created]));
  t.match([...contents.segments.values()], [{ key: 'active', included: ['anna'], position: 5 }]);
  t.equal(contents.segments.size, 1);
});

test('now is the time asked for, or else that of the position', async (t) => {
  const source = sourceOf([created]);
  t.equal((await at(4, source)).instantMs, 4_000);
  const byTime = rulesetsAt(source, async () => ({ position: 4 }), recordedAt);
  const { instantMs } = await byTime(address, { at: '2026-03-01T13:00:00+01:00' });
  t.equal(instantMs, Date.UTC(2026, 2, 1, 12));
});

test('what did not exist, or was deleted then, is not evaluated', async (t) => {
  const refusal = { code: 'environment-not-found' };
  const flags = [created];
  await t.rejects(at(0, sourceOf(flags, { environments: [] })), refusal);
  await t.rejects(at(0, sourceOf(flags, { environments: [environmentOf('deleted')] })), refusal);
  await t.rejects(at(0, sourceOf(flags, { status: 'deleted' })), refusal);
  const never = async (): Promise<never> => {
    throw new DomainError('moment-in-future', 'Not yet.');
  };
  await t.rejects(rulesetsAt(sourceOf(flags), never, recordedAt)(address, {}), {
    code: 'moment-in-future',
  });
});
