import { test } from 'tap';
import { sessionDecider } from '../../../src/commands/session.js';
import { type SessionEvent } from '../../../src/domain/session.js';
import { given } from '../../support/given.js';

const person = { organizationId: 'acme', userId: 'usr_ada' };

const started = (sessionId: string): SessionEvent => ({
  type: 'SessionStarted',
  data: { sessionId, method: 'password' },
});
const ended = (sessionId: string, cause: 'logged-out' | 'too-many'): SessionEvent => ({
  type: 'SessionEnded',
  data: { sessionId, cause },
});

test('a login starts a session', async (t) => {
  given(t, sessionDecider, undefined)()
    .when({ type: 'StartSession', data: { ...person, sessionId: 'one', method: 'oidc' } })
    .thenRecords({ type: 'SessionStarted', data: { sessionId: 'one', method: 'oidc' } });
});

test('a 51st session ends the oldest that is open', async (t) => {
  const many = Array.from({ length: 51 }, (_, nth) => started(`session ${nth}`));
  given(
    t,
    sessionDecider,
    undefined,
  )(...many, ended('session 0', 'logged-out'))
    .when({ type: 'StartSession', data: { ...person, sessionId: 'next', method: 'password' } })
    .thenRecords(ended('session 1', 'too-many'), started('next'));
});

test('a session ends once', async (t) => {
  const end = {
    type: 'EndSessions',
    data: { ...person, sessionIds: ['one', 'never'], cause: 'logged-out' },
  } as const;
  given(
    t,
    sessionDecider,
    undefined,
  )(started('one'), started('two'))
    .when(end)
    .thenRecords(ended('one', 'logged-out'));
  given(
    t,
    sessionDecider,
    undefined,
  )(started('one'), ended('one', 'logged-out'))
    .when(end)
    .thenRecords();
  given(t, sessionDecider, undefined)().when(end).thenRecords();
});

test('a reused refresh token ends its session, and both are told once', async (t) => {
  const report = { type: 'ReportReuse', data: { ...person, sessionId: 'one' } } as const;
  const reuse: readonly SessionEvent[] = [
    { type: 'RefreshTokenReused', data: { sessionId: 'one' } },
    { type: 'SessionEnded', data: { sessionId: 'one', cause: 'refresh-token-reused' } },
  ];
  given(
    t,
    sessionDecider,
    undefined,
  )(started('one'))
    .when(report)
    .thenRecords(...reuse);
  given(
    t,
    sessionDecider,
    undefined,
  )(started('one'), ...reuse)
    .when(report)
    .thenRecords();
});

test('a new password ends all sessions but the one that it is changed in', async (t) => {
  given(
    t,
    sessionDecider,
    undefined,
  )(started('one'), started('two'))
    .when({ type: 'ChangePassword', data: { ...person, sessionId: 'two' } })
    .thenRecords(
      { type: 'PasswordChanged', data: {} },
      { type: 'SessionEnded', data: { sessionId: 'one', cause: 'password-changed' } },
    );
});

test('refused logins are told once a minute', async (t) => {
  const refuse = (since: string) =>
    ({ type: 'RefuseLogin', data: { ...person, count: 3, since } }) as const;
  const refused: SessionEvent = { type: 'LoginRefused', data: { count: 3, since: '04:00' } };
  given(t, sessionDecider, undefined)().when(refuse('04:00')).thenRecords(refused);
  given(t, sessionDecider, undefined)(refused, started('one')).when(refuse('04:00')).thenRecords();
  given(
    t,
    sessionDecider,
    undefined,
  )(refused)
    .when(refuse('04:01'))
    .thenRecords({ type: 'LoginRefused', data: { count: 3, since: '04:01' } });
});
