import { type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { answerOf, problems } from '../schemas.js';

/** Where an invitation's link leads; the token is behind the `#`, so no server and no log sees it. */
export const ACCEPT_PATH = '/invitations/accept';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Accept your invitation · Chronoflag</title>
<script type="module" src="accept.js"></script>
</head>
<body>
<main>
<h1>Accept your invitation</h1>
<p id="status" role="status">This page needs JavaScript. Without it, send {"token", "password"} to this address.</p>
<form id="form" hidden>
<p><label for="password">Choose a password</label><br>
<input id="password" type="password" autocomplete="new-password" required></p>
<p><button>Join</button></p>
</form>
</main>
</body>
</html>
`;

const SCRIPT = `const form = document.querySelector('#form');
const status = document.querySelector('#status');
const say = (text) => { status.textContent = text; };
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
if (token === '') {
  say('This link is incomplete: the invitation is the part behind "#". Open the whole link.');
} else {
  say('You were invited to Chronoflag.');
  form.hidden = false;
}
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const answer = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, password: document.querySelector('#password').value }),
    });
    const body = await answer.json();
    if (!answer.ok) say(body.detail ?? body.title);
    else {
      form.hidden = true;
      say('You joined. Log in with your e-mail address and the organization ' + body.organizationId + '.');
    }
  } catch {
    say('The service did not answer. Try again.');
  } finally {
    button.disabled = false;
  }
});
`;

const schemaOf = (summary: string, kind: string) => ({
  tags: ['organization'],
  summary,
  security: [],
  response: { 200: answerOf(summary, { [kind]: Type.String() }), ...problems },
});

/** The page behind an invitation's link: it asks for a password and accepts. */
export const acceptPage: FastifyPluginAsyncTypebox = async (app) => {
  const config = { access: 'public' } as const;
  app.get(
    ACCEPT_PATH,
    { config, schema: schemaOf('The page behind an invitation', 'text/html') },
    async (_, reply) => reply.type('text/html; charset=utf-8').send(PAGE),
  );
  app.get(
    `${ACCEPT_PATH}.js`,
    { config, schema: schemaOf('The script of that page', 'text/javascript') },
    async (_, reply) => reply.type('text/javascript; charset=utf-8').send(SCRIPT),
  );
};
