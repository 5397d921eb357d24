import type { handleUnaryCall } from '@grpc/grpc-js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import { featureMessages } from '../wire/services.js';

/** The server version whose behaviour is reproduced. */
export const COMPATIBLE_VERSION = '24.10.0';

/** Listed as on a real server, though they answer UNIMPLEMENTED: else a client tries older ways, or says why wrongly. */
const PERSISTENT_SUBSCRIPTIONS =
  'event_store.client.persistent_subscriptions.persistentsubscriptions';
const PERSISTENT = ['create', 'update', 'delete', 'read', 'getinfo', 'replayparked', 'list'];

/** Methods with the features a client may look for; in lower case, as a real server sends them. */
const METHODS: readonly (readonly [
  service: string,
  method: string,
  features: readonly string[],
])[] = [
  ['event_store.client.streams.streams', 'read', ['position', 'events']],
  ['event_store.client.streams.streams', 'append', []],
  ['event_store.client.streams.streams', 'batchappend', ['deadline_duration']],
  ['event_store.client.streams.streams', 'delete', []],
  ['event_store.client.streams.streams', 'tombstone', []],
  ...PERSISTENT.map((method) => [PERSISTENT_SUBSCRIPTIONS, method, ['stream', 'all']] as const),
  [PERSISTENT_SUBSCRIPTIONS, 'restartsubsystem', []],
  ['event_store.client.gossip.gossip', 'read', []],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods', []],
];

/** `ServerFeatures/GetSupportedMethods`: what is not listed a client does not call. */
export const serverFeaturesHandler = (): handleUnaryCall<Empty, SupportedMethods> => {
  const supported = new featureMessages.SupportedMethods();
  supported.setEventStoreServerVersion(COMPATIBLE_VERSION);
  for (const [service, name, features] of METHODS) {
    const method = new featureMessages.SupportedMethod();
    method.setServiceName(service);
    method.setMethodName(name);
    method.setFeaturesList([...features]);
    supported.addMethods(method);
  }
  return (_call, reply) => {
    reply(null, supported);
  };
};
