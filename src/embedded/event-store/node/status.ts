import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { Empty, UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { EventLog } from '../log/log.js';
import { gossipMessages, sharedMessages } from '../wire/services.js';
import { COMPATIBLE_VERSION } from './info.js';

const TICKS_PER_MS = 10_000n;

type Endpoint = Readonly<{ host: string; port: number }>;

/** `host:port` as the client dialled it, so that what gossip advertises can be reached by the asker. */
const parseAuthority = (authority = ''): Endpoint | undefined => {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(authority) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
};

/** The node of a cluster of one, which leads it; `instanceId` is new with every start. */
export type Node = Readonly<{ instanceId: string; listening: Endpoint }>;

export const nodeAt = (listening: Endpoint): Node => ({ instanceId: randomUUID(), listening });

const structured = (id: string): UUID => {
  const halves = Buffer.from(id.replaceAll('-', ''), 'hex');
  const uuid = new sharedMessages.UUID.Structured();
  uuid.setMostSignificantBits(halves.readBigInt64BE(0).toString());
  uuid.setLeastSignificantBits(halves.readBigInt64BE(8).toString());
  return new sharedMessages.UUID().setStructured(uuid);
};

/** `Gossip/Read`: a cluster of one. */
export const gossipHandler =
  ({ instanceId, listening }: Node): handleUnaryCall<Empty, ClusterInfo> =>
  (call, reply) => {
    const { host, port } = parseAuthority(call.getHost()) ?? listening;
    const endpoint = new gossipMessages.EndPoint();
    endpoint.setAddress(host);
    endpoint.setPort(port);
    const member = new gossipMessages.MemberInfo();
    member.setInstanceId(structured(instanceId));
    member.setTimeStamp((BigInt(Date.now()) * TICKS_PER_MS).toString());
    member.setState(gossipMessages.MemberInfo.VNodeState.LEADER);
    member.setIsAlive(true);
    member.setHttpEndPoint(endpoint);
    const cluster = new gossipMessages.ClusterInfo();
    cluster.addMembers(member);
    reply(null, cluster);
  };

/** What `/info` says on a real server that runs insecure and without projections. */
const INFO = {
  esVersion: COMPATIBLE_VERSION,
  state: 'leader',
  features: { projections: false, userManagement: false, atomPub: false },
  authentication: { type: 'insecure', properties: {} },
};

const gossipPage = (log: EventLog, { instanceId }: Node, { host, port }: Endpoint) => ({
  members: [
    {
      instanceId,
      timeStamp: new Date().toISOString(),
      state: 'Leader',
      isAlive: true,
      internalTcpIp: host,
      internalTcpPort: 0,
      internalSecureTcpPort: 0,
      externalTcpIp: host,
      externalTcpPort: 0,
      externalSecureTcpPort: 0,
      internalHttpEndPointIp: host,
      internalHttpEndPointPort: port,
      httpEndPointIp: host,
      httpEndPointPort: port,
      lastCommitPosition: log.reader.head(),
      writerCheckpoint: log.reader.end(),
      chaserCheckpoint: log.reader.end(),
      epochPosition: 0,
      epochNumber: 0,
      epochId: instanceId,
      nodePriority: 0,
      isReadOnlyReplica: false,
      esVersion: COMPATIBLE_VERSION,
    },
  ],
  serverIp: host,
  serverPort: port,
});

/** The status of `/health/live`; a load balancer that wants another one asks for it with `?liveCode=`. */
const liveCode = (query: URLSearchParams): number => {
  const wanted = Number(query.get('liveCode') ?? 204);
  return Number.isInteger(wanted) && wanted >= 200 && wanted <= 599 ? wanted : 204;
};

const sendJson = (response: ServerResponse, body: object): void => {
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body, null, 2));
};

type Page = Readonly<{
  methods: readonly string[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}>;

const pagesOf = (log: EventLog, node: Node): Record<string, Page> => ({
  '/health/live': {
    methods: ['GET', 'HEAD'],
    answer: ({ url = '' }, response) => {
      const query = new URLSearchParams(url.split('?')[1]);
      response.writeHead(liveCode(query)).end();
    },
  },
  '/info': {
    methods: ['GET'],
    answer: (_request, response) => {
      sendJson(response, INFO);
    },
  },
  '/gossip': {
    methods: ['GET'],
    answer: ({ headers }, response) => {
      sendJson(response, gossipPage(log, node, parseAuthority(headers.host) ?? node.listening));
    },
  },
});

/** The HTTP/1.1 pages that operators and load balancers look at; everything else is 404. */
export const statusPages = (log: EventLog, node: Node): RequestListener => {
  const pages = pagesOf(log, node);
  return (request, response) => {
    const { method = '', url = '' } = request;
    const page = pages[url.split('?')[0] ?? ''];
    if (!page) response.writeHead(404).end();
    else if (!page.methods.includes(method))
      response.writeHead(405, { allow: page.methods.join(', ') }).end();
    else page.answer(request, response);
  };
};
