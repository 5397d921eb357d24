import { type DomainEvent, isKnownType } from '../catalogue.js';
import { type Event } from '../decider.js';
import { type Target } from '../flag/configuration.js';
import { type Metadata } from '../recorded.js';
import { parseStream } from '../streams.js';
import { type Rewrite, rewriteValue } from './person.js';
import { isSealed } from './sealed-text.js';
import {
  configuration,
  flagContent,
  flagRules,
  segmentContent,
  segmentKeys,
  segmentRules,
  targets,
} from './targeting-fields.js';

type Of<Type extends DomainEvent['type']> = Extract<DomainEvent, { type: Type }>['data'];

/** How the personal texts in an event's data are rewritten; null: it has none. */
type Fields = {
  readonly [Type in DomainEvent['type']]: ((data: Of<Type>, rewrite: Rewrite) => Of<Type>) | null;
};

const withEmail = <D extends Readonly<{ email: string }>>(data: D, rewrite: Rewrite): D => ({
  ...data,
  email: rewriteValue(data.email, rewrite),
});

const withTargets = <D extends Readonly<{ targets: readonly Target[] }>>(
  data: D,
  rewrite: Rewrite,
): D => ({ ...data, targets: targets(data.targets, rewrite) });

/** Where events hold personal data. Complete by its type: a new event says here what it has, or that it has none. */
export const PERSONAL_FIELDS: Fields = {
  OrganizationRegistered: ({ owner, ...data }, rewrite) => ({
    ...data,
    ...(owner && { owner: withEmail(owner, rewrite) }),
  }),
  OrganizationRenamed: null,
  MemberInvited: withEmail,
  InvitationRevoked: null,
  MemberJoined: withEmail,
  MemberRoleChanged: null,
  MemberRemoved: null,
  MemberLeft: null,
  OwnershipHandedOver: null,
  ApiKeyIssued: null,
  ApiKeyRotated: null,
  ApiKeyRevoked: null,
  ProjectCreated: null,
  ProjectDetailsChanged: null,
  ProjectDeleted: null,
  ProjectRestored: null,
  EnvironmentAdded: null,
  EnvironmentDetailsChanged: null,
  EnvironmentDeleted: null,
  EnvironmentRestored: null,
  FlagCreated: flagContent,
  FlagDetailsChanged: null,
  FlagVariantsChanged: null,
  FlagEnabled: null,
  FlagDisabled: null,
  FlagOffVariantChanged: null,
  FlagRolloutChanged: null,
  FlagTargetsChanged: withTargets,
  FlagTargetsAdded: withTargets,
  FlagTargetsRemoved: withTargets,
  FlagRulesChanged: (data, rewrite) => ({ ...data, rules: flagRules(data.rules, rewrite) }),
  FlagPrerequisitesChanged: null,
  FlagPromoted: (data, rewrite) => ({
    ...data,
    configuration: configuration(data.configuration, rewrite),
  }),
  FlagImported: null,
  FlagArchived: null,
  FlagUnarchived: null,
  FlagDeleted: null,
  FlagRestored: (data, rewrite) => ({ ...data, content: flagContent(data.content, rewrite) }),
  FlagReverted: (data, rewrite) => ({ ...data, content: flagContent(data.content, rewrite) }),
  SegmentCreated: segmentContent,
  SegmentDetailsChanged: null,
  SegmentKeysChanged: segmentKeys,
  SegmentKeysAdded: segmentKeys,
  SegmentKeysRemoved: segmentKeys,
  SegmentRulesChanged: (data, rewrite) => ({ ...data, rules: segmentRules(data.rules, rewrite) }),
  SegmentImported: null,
  SegmentDeleted: null,
  SegmentRestored: (data, rewrite) => ({ ...data, content: segmentContent(data.content, rewrite) }),
  SegmentReverted: (data, rewrite) => ({ ...data, content: segmentContent(data.content, rewrite) }),
  SessionStarted: null,
  SessionEnded: null,
  RefreshTokenReused: null,
  PasswordChanged: null,
  LoginRefused: null,
  DependencyReserved: null,
  SubjectErased: null,
  CommandsRefused: null,
  ServiceStarted: null,
  ServiceStopped: null,
  ClockJumped: null,
  ReadModelRebuilt: null,
  EventSkipped: null,
  KeyChanged: null,
};

/** An event with its personal texts rewritten; of a type that is not ours, as it is. */
export const rewriteEvent = <E extends Event>(event: E, rewrite: Rewrite): E => {
  if (!isKnownType(event.type)) return event;
  const fields = PERSONAL_FIELDS[event.type] as ((data: unknown, by: Rewrite) => unknown) | null;
  return fields === null ? event : { ...event, data: fields(event.data, rewrite) };
};

/** The types of events that can have personal texts in their data. */
export const PERSONAL_TYPES: readonly string[] = Object.entries(PERSONAL_FIELDS)
  .filter(([, fields]) => fields !== null)
  .map(([type]) => type);

/** What a text of the person that is not sealed is taken for; no text that is stored begins so. */
export const IN_CLEAR = '\0in clear';

/** Puts IN_CLEAR for the texts of one person, normalised, that are not sealed. */
export const markingClear =
  (wanted: string): Rewrite =>
  ({ person, text }) =>
    person === wanted && !isSealed(text) ? IN_CLEAR : text;

/** Whether the data of an event, as the log has it, names a person without being sealed. */
export const isNamedInClear = (event: Event, person: string): boolean => {
  const mark = markingClear(person);
  let isNamed = false;
  rewriteEvent(event, (personal) => {
    isNamed ||= mark(personal) === IN_CLEAR;
    return personal.text;
  });
  return isNamed;
};

/** No value of a person: none can have U+0000. */
const COMMANDS = '\0commands';

/** A hash of what was asked tells whether somebody was named in it, to who tries names. So it is sealed where any may be. */
const rewriteHash = (metadata: Metadata, rewrite: Rewrite): Metadata => ({
  ...metadata,
  commandHash: rewrite({ person: COMMANDS, text: metadata.commandHash }),
});

/** The person whose address and user agent it is. For what strangers do to an account that is its owner, who mostly is the stranger. */
const personBehind = ({ actor }: Metadata, stream: string): string | null => {
  if (actor.type === 'user') return actor.id;
  const parts = parseStream(stream);
  return parts?.category === 'session' ? parts.key : null;
};

/** Address and user agent of a user are that user's own; those of machines are nobody's. */
export const rewriteMetadata = (
  { stream, events }: Readonly<{ stream: string; events: readonly Event[] }>,
  given: Metadata,
  rewrite: Rewrite,
): Metadata => {
  const isAboutPeople = events.some(({ type }) => isKnownType(type) && PERSONAL_FIELDS[type]);
  const metadata = isAboutPeople ? rewriteHash(given, rewrite) : given;
  const { ip, userAgent } = metadata;
  const person = personBehind(metadata, stream);
  if (person === null) return metadata;
  const own = (text: string): string => rewrite({ person, text });
  return {
    ...metadata,
    ...(ip !== undefined && { ip: own(ip) }),
    ...(userAgent !== undefined && { userAgent: own(userAgent) }),
  };
};
