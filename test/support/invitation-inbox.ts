import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { type InvitationMessage } from '../../src/infrastructure/accounts/invitations.js';
import { keepSecretsIn } from './canary.js';
import { until } from './until.js';

/** Where a service brings its invitations to. */
export const invitationInbox = async () => {
  const messages: InvitationMessage[] = [];
  const server = createServer((request, response) => {
    void json(request).then((message) => {
      keepSecretsIn(JSON.stringify(message));
      messages.push(message as InvitationMessage);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    /** The message that brought an invitation; waits for it. */
    invitation: async (invitationId: string): Promise<InvitationMessage> => {
      const find = () => messages.find((message) => message.invitationId === invitationId);
      await until(`invitation ${invitationId} is delivered`, () => find() !== undefined);
      return find()!;
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type InvitationInbox = Awaited<ReturnType<typeof invitationInbox>>;
