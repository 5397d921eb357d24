import { createRequire } from 'node:module';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type * as Gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type * as Features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { decodeAppend, decodeBatchAppend, decodeDelete } from './requests.js';

/**
 * The generated message classes. They are CommonJS modules whose names Node cannot see from ESM
 * (an import type-checks and is undefined at run time), hence `require`.
 */
const require = createRequire(import.meta.url);
export const gossipMessages = require('@eventstore/db-client/generated/gossip_pb') as typeof Gossip;
export const featureMessages =
  require('@eventstore/db-client/generated/serverfeatures_pb') as typeof Features;
export const sharedMessages = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;

const asEncoded = (message: Buffer): Buffer => message;

const answeringBytes = <Method extends object, Request>(
  method: Method,
  requestDeserialize: (bytes: Buffer) => Request,
) => ({ ...method, requestDeserialize, responseSerialize: asEncoded });

/** Streams with hand-written codecs: writes arrive decoded in one pass, and all answers are encoded already. */
export const streamsService = {
  read: answeringBytes(StreamsService.read, StreamsService.read.requestDeserialize),
  append: answeringBytes(StreamsService.append, decodeAppend),
  batchAppend: answeringBytes(StreamsService.batchAppend, decodeBatchAppend),
  delete: answeringBytes(StreamsService.delete, decodeDelete),
  tombstone: answeringBytes(StreamsService.tombstone, decodeDelete),
} satisfies ServiceDefinition;

export { GossipService as gossipService, ServerFeaturesService as serverFeaturesService };
