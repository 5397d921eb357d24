import { test } from 'tap';
import { addMember, invite, PASSWORD } from '../../support/organizations.js';
import { testService } from '../../support/service.js';

test('x', async (t) => {
  const service = await testService(t);
  const { token, invitationId } = await invite(service, service.credential, {
    role: 'owner',
    projects: { demo: 'editor' },
  });
  console.error(token, invitationId);
  console.error((await service.get('/invitations')).text);
  const answer = await service.post('/invitations/accept', {
    body: { token, password: PASSWORD },
    credential: null,
  });
  console.error(answer.status, answer.text);
  const a2 = await service.post('/organizations', {
    body: { name: 'Größe & Co', owner: { email: 'X@y.z', password: PASSWORD } },
    credential: null,
  });
  console.error(a2.status, a2.text);
  await addMember(service, service.credential, { role: 'viewer' });
  console.error((await service.get('/members')).text);
  console.error((await service.get('/organization')).text);
});
