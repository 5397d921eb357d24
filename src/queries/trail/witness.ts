import { type StoredEvent } from '../../domain/audit/chain.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';

/** The log itself, in its own order, from after a position (null: from its beginning) to where it ends. */
export type WholeLog = Readonly<{
  readForward: (
    after: Position | null,
    signal: AbortSignal,
  ) => AsyncIterable<Readonly<{ events: readonly StoredEvent[] }>>;
}>;

/** An event as the read model remembers it, from when it was written. The link is null where its row is missing. */
export type WitnessedEvent = Readonly<{
  organization: string;
  position: Position;
  stream: string;
  revision: number;
  type: string;
  id: string;
  sequence: number | null;
  hash: string | null;
}>;

/** Rows read at a time: what bounds the memory. */
const PAGE = 2_000;

/** Every event that the read model has, in log order; of one organization when it is named. */
export async function* witnessed(
  db: Database,
  organizationId: string | undefined,
): AsyncGenerator<WitnessedEvent> {
  for (let after: Position = -1; ;) {
    const { rows }: { rows: WitnessedEvent[] } = await db.query({
      name: organizationId === undefined ? 'witness' : 'witness_of',
      text: `select e.organization_id as organization, e.position as position, e.stream,
                    e.revision::float8 as revision, e.type, e.event_id as id,
                    c.sequence::float8 as sequence, encode(c.hash, 'hex') as hash
               from audit_event e
               left join audit_chain c
                 on c.organization_id = e.organization_id
                and c.position = e.position
              where e.position > $1
                ${organizationId === undefined ? '' : 'and e.organization_id = $3'}
              order by e.position
              limit $2`,
      values: [after, PAGE, ...(organizationId === undefined ? [] : [organizationId])],
    });
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.position;
  }
}
