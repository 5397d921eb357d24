import { randomUUID } from 'node:crypto';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import { gossipMessages, sharedMessages } from '../wire/services.js';

const TICKS_PER_MS = 10_000n;

/** `host:port` as the client dialled it, so that what gossip advertises can be reached by the asker. */
const parseAuthority = (authority: string): { host: string; port: number } | undefined => {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(authority) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
};

/** `Gossip/Read`: a cluster of one, this node, which leads it. */
export const gossipHandler = (listening: {
  host: string;
  port: number;
}): handleUnaryCall<Empty, ClusterInfo> => {
  const instanceId = randomUUID();
  return (call, reply) => {
    const { host, port } = parseAuthority(call.getHost()) ?? listening;
    const id = new sharedMessages.UUID();
    id.setString(instanceId);
    const endpoint = new gossipMessages.EndPoint();
    endpoint.setAddress(host);
    endpoint.setPort(port);
    const member = new gossipMessages.MemberInfo();
    member.setInstanceId(id);
    member.setTimeStamp((BigInt(Date.now()) * TICKS_PER_MS).toString());
    member.setState(gossipMessages.MemberInfo.VNodeState.LEADER);
    member.setIsAlive(true);
    member.setHttpEndPoint(endpoint);
    const cluster = new gossipMessages.ClusterInfo();
    cluster.addMembers(member);
    reply(null, cluster);
  };
};
