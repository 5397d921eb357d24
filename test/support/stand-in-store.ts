import { createRequire } from 'node:module';
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { type Test } from 'tap';

const require = createRequire(import.meta.url);
const { ReadResp } = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;

type Answer = InstanceType<typeof ReadResp>;

/** What becomes of one answer of a read or subscription; `cut` ends the call as a lost connection does. */
export type Rewrite = (answer: Answer) => readonly (Answer | 'cut')[];

type Method = Readonly<{ path: string; requestStream: boolean; responseStream: boolean }>;

const raw = (bytes: Buffer): Buffer => bytes;
const isRead = ({ path }: Method): boolean => path.endsWith('/Read');

/** A checkpoint at any place, also at one that the store would never tell. */
export const checkpointAt = (position: bigint): Answer => {
  const checkpoint = new ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(position));
  checkpoint.setPreparePosition(String(position));
  const answer = new ReadResp();
  answer.setCheckpoint(checkpoint);
  return answer;
};

/**
 * A stand-in for released servers that answer reads wrongly: it passes every call on to a real store behind it, and
 * puts other answers in the place of those that `rewrite` is given. `rewriting` makes one `rewrite` for each read.
 */
export const standInStore = async (
  t: Test,
  port: number,
  rewriting: () => Rewrite,
): Promise<string> => {
  const behind = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const send = (call: ServerWritableStream<Buffer, Buffer>, rewrite: Rewrite, bytes: Buffer) => {
    for (const answer of rewrite(ReadResp.deserializeBinary(bytes))) {
      if (answer !== 'cut') call.write(Buffer.from(answer.serializeBinary()));
      else call.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    }
  };
  const passOn = (method: Method): UntypedHandleCall => {
    const { path } = method;
    if (method.requestStream && method.responseStream)
      return (call: ServerDuplexStream<Buffer, Buffer>) => {
        const up = behind.makeBidiStreamRequest(path, raw, raw, call.metadata);
        call.on('data', (bytes: Buffer) => up.write(bytes)).on('end', () => up.end());
        call.on('cancelled', () => {
          up.cancel();
        });
        up.on('data', (bytes: Buffer) => call.write(bytes)).on('end', () => call.end());
        up.on('error', (error) => call.emit('error', error));
      };
    if (method.responseStream)
      return (call: ServerWritableStream<Buffer, Buffer>) => {
        const rewrite = isRead(method) ? rewriting() : undefined;
        const up = behind.makeServerStreamRequest(path, raw, raw, call.request, call.metadata);
        call.on('cancelled', () => {
          up.cancel();
        });
        up.on('data', (bytes: Buffer) => {
          if (rewrite) send(call, rewrite, bytes);
          else call.write(bytes);
        });
        up.on('end', () => call.end()).on('error', (error) => call.emit('error', error));
      };
    if (method.requestStream)
      return (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        const up = behind.makeClientStreamRequest(path, raw, raw, call.metadata, answer);
        call.on('data', (bytes: Buffer) => up.write(bytes)).on('end', () => up.end());
      };
    return (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      behind.makeUnaryRequest(path, raw, raw, call.request, call.metadata, answer);
    };
  };

  const server = new Server();
  for (const service of [StreamsService, GossipService, ServerFeaturesService]) {
    const methods = Object.entries(service as unknown as Record<string, Method>);
    const definition = methods.map(([name, { path, requestStream, responseStream }]) => [
      name,
      {
        ...{ path, requestStream, responseStream },
        ...{ requestSerialize: raw, requestDeserialize: raw },
        ...{ responseSerialize: raw, responseDeserialize: raw },
      },
    ]);
    server.addService(
      Object.fromEntries(definition) as ServiceDefinition,
      Object.fromEntries(methods.map(([name, method]) => [name, passOn(method)])),
    );
  }
  const own = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.teardown(() => {
    server.forceShutdown();
    behind.close();
  });
  return `esdb://127.0.0.1:${own}?tls=false`;
};
