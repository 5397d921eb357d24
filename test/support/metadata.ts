import { type Metadata, SCHEMA_VERSION } from '../../src/domain/recorded.js';

/** Metadata of a command of a test. */
export const metadata = (commandId: string, commandHash = 'hash'): Metadata => ({
  actor: { id: 'ada', type: 'user', authMethod: 'test' },
  commandId,
  commandHash,
  correlationId: commandId,
  causationId: commandId,
  requestId: commandId,
  schemaVersion: SCHEMA_VERSION,
});
