import { positionInJson } from '../../domain/position.js';
import { type ReadModel, type Table } from '../projection.js';

const table: Table = {
  name: 'audit_chain',
  columns: {
    organization_id: 'text',
    sequence: 'bigint',
    position: 'bigint',
    hash: 'bytea',
  },
  stream: ['organization_id'],
  key: ['organization_id', 'sequence'],
  onConflict: 'do nothing',
};

/** One link per event, for proofs and to find what was altered in the log. migrations/read-model/008. */
export const auditChain: ReadModel = {
  tables: [table],
  rowsOf: (steps) => [
    {
      table,
      rows: steps.map(({ event, parts, link }) => ({
        organization_id: parts.organizationId,
        sequence: link.sequence,
        position: positionInJson(event.position),
        hash: `\\x${link.hash}`,
      })),
    },
  ],
};
