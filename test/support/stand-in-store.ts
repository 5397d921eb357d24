import { createRequire } from 'node:module';
import {
  Client,
  credentials,
  Metadata,
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
import type * as Gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { type Test } from 'tap';
import { standInAppends, type Verdict } from './stand-in-appends.js';

const require = createRequire(import.meta.url);
const { ReadResp } = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;
const { ClusterInfo, EndPoint, MemberInfo } =
  require('@eventstore/db-client/generated/gossip_pb') as typeof Gossip;
const { UUID } = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;

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

export type StandIn = Readonly<{
  /** Makes what rewrites the answers of one read or subscription. */
  rewriting?: () => Rewrite;
  /** In the place of what the store behind says to appends; undefined: nothing. */
  appends?: () => Verdict | undefined;
  /** In the place of what the store behind confirms of appends. */
  appended?: (bytes: Buffer) => Buffer;
  /** In the place of what is asked in a read or subscription. */
  asks?: (bytes: Buffer) => Buffer;
  /** Refuses reads, or never answers them. */
  reads?: () => 'access-denied' | 'unauthenticated' | 'silent' | undefined;
  /** What gossip tells. @defaultValue what the store behind tells, which is a cluster of one */
  members?: () => readonly Member[];
  /** PEM. @defaultValue without TLS */
  tls?: Readonly<{ cert: Buffer; key: Buffer }>;
}>;

/** Of a cluster, on 127.0.0.1. */
export type Member = Readonly<{ port: number; isLeader: boolean; isAlive: boolean }>;

const REFUSALS = {
  'access-denied': {
    code: status.PERMISSION_DENIED,
    details: 'Access Denied',
    trailer: 'access-denied',
  },
  unauthenticated: { code: status.UNAUTHENTICATED, details: '', trailer: undefined },
};

const refused = (reason: keyof typeof REFUSALS) => {
  const { code, details, trailer } = REFUSALS[reason];
  const metadata = new Metadata();
  if (trailer !== undefined) metadata.set('exception', trailer);
  return { code, details, metadata };
};

const gossipOf = (members: readonly Member[]): Buffer => {
  const cluster = new ClusterInfo();
  for (const { port, isLeader, isAlive } of members) {
    const end = new EndPoint();
    end.setAddress('127.0.0.1');
    end.setPort(port);
    const member = new MemberInfo();
    member.setInstanceId(new UUID());
    member.setState(MemberInfo.VNodeState[isLeader ? 'LEADER' : 'FOLLOWER']);
    member.setIsAlive(isAlive);
    member.setHttpEndPoint(end);
    cluster.addMembers(member);
  }
  return Buffer.from(cluster.serializeBinary());
};

/**
 * A stand-in for a real server, one that is wrong, refuses, is one of a cluster or speaks TLS: it passes every call on to
 * an embedded store behind it, but for what it is told to answer otherwise.
 */
export const startStandIn = async (t: Test, port: number, standIn: StandIn) => {
  const { rewriting, appends = () => undefined, reads = () => undefined, members, tls } = standIn;
  const { asks = raw, appended = raw } = standIn;
  const behind = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const appending = standInAppends(behind, appends, appended);
  const send = (call: ServerWritableStream<Buffer, Buffer>, rewrite: Rewrite, bytes: Buffer) => {
    for (const answer of rewrite(ReadResp.deserializeBinary(bytes))) {
      if (answer !== 'cut') call.write(Buffer.from(answer.serializeBinary()));
      else call.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    }
  };
  const passOn = (method: Method): UntypedHandleCall => {
    const { path } = method;
    if (path.endsWith('/BatchAppend')) return appending.handle(path);
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
        const refusal = isRead(method) ? reads() : undefined;
        if (refusal === 'silent') return;
        if (refusal !== undefined) {
          call.emit('error', refused(refusal));
          return;
        }
        const rewrite = isRead(method) ? rewriting?.() : undefined;
        const asked = isRead(method) ? asks(call.request) : call.request;
        const up = behind.makeServerStreamRequest(path, raw, raw, asked, call.metadata);
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
      if (members !== undefined && path.endsWith('Gossip/Read')) {
        answer(null, gossipOf(members()));
        return;
      }
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
    server.bindAsync('127.0.0.1:0', credentialsOf(tls), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  t.teardown(() => {
    server.forceShutdown();
    behind.close();
  });
  return { port: own, release: appending.release };
};

const credentialsOf = (tls: StandIn['tls']): ServerCredentials =>
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);

/** A stand-in for released servers that answer reads wrongly. `rewriting` makes one `rewrite` for each read. */
export const standInStore = async (
  t: Test,
  port: number,
  rewriting: () => Rewrite,
): Promise<string> =>
  `esdb://127.0.0.1:${(await startStandIn(t, port, { rewriting })).port}?tls=false`;
