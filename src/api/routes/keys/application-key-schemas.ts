import { type Static, Type } from '@sinclair/typebox';
import { CommandAnswer } from '../../command-route.js';
import { closed, Key, Name } from '../../schemas.js';
import { lifecycle, lifecycleOf } from './lifecycle.js';
import { type ListedKey } from '../../../identity/key-ports.js';

export const Params = Type.Object({ project: Key, environment: Key });
export const KeyParams = Type.Object({
  project: Key,
  environment: Key,
  key: Type.String({ pattern: '^[0-9A-Za-z]{12}$', description: 'The id of the key.' }),
});
const Kind = Type.Union([Type.Literal('server'), Type.Literal('client')], {
  description: 'client: may be seen by anybody, so it only evaluates all flags at once.',
});
export const NewKey = Type.Object(
  {
    kind: Kind,
    name: Name,
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'RFC 3339; absent: never.' }),
    ),
  },
  closed,
);
export const IssuedKey = Type.Composite([
  CommandAnswer,
  Type.Object({
    keyId: Type.String(),
    key: Type.Optional(
      Type.String({ description: 'Only in the first answer: it is kept nowhere.' }),
    ),
  }),
]);
const Listed = Type.Object({ keyId: Type.String(), kind: Kind, name: Type.String(), ...lifecycle });

export const KeyList = Type.Object({ items: Type.Array(Listed) });

/** A key as it is listed. */
export const viewOf = ({ keyId, kind, name, ...rest }: ListedKey): Static<typeof Listed> => ({
  ...{ keyId, kind, name },
  ...lifecycleOf(rest),
});

/** A key of anywhere in the organization. */
export type PlacedKey = ListedKey & Readonly<{ project: string; environment: string }>;

export const PlacedKeyList = Type.Object({
  items: Type.Array(
    Type.Composite([Type.Object({ project: Type.String(), environment: Type.String() }), Listed]),
  ),
});
