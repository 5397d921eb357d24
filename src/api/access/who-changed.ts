import { type FastifyRequest } from 'fastify';
import { may } from '../../domain/access/grants.js';
import { type Provenance } from '../../queries/provenance.js';

/** What everybody who may see a thing is told of its last change, and what only readers of the audit log are. */
export type ToldChange = Pick<
  Provenance,
  'eventId' | 'type' | 'revision' | 'position' | 'recordedAt'
> &
  Partial<Provenance>;

export type Told<View> = Omit<View, 'lastChange'> & Readonly<{ lastChange: ToldChange }>;

type Asking = Pick<FastifyRequest, 'caller'> & Readonly<{ params: Readonly<{ project: string }> }>;

const withoutWho = ({ eventId, type, revision, position, recordedAt }: Provenance): ToldChange => ({
  eventId,
  type,
  revision,
  position,
  recordedAt,
});

/** Leaves out of a view who changed it, from where and why, for callers who may not read the project's audit log. */
export const toldTo = <View extends Readonly<{ lastChange: Provenance }>>(
  { caller, params }: Asking,
  view: View,
): Told<View> =>
  may(caller.grants, 'audit.read', params.project)
    ? view
    : { ...view, lastChange: withoutWho(view.lastChange) };

type End = Readonly<{ lastChange: Provenance | null }>;

export type ToldEnd<E> = Omit<E, 'lastChange'> & Readonly<{ lastChange: ToldChange | null }>;

export type ToldDiff<Diff extends Readonly<{ from: End; to: End }>> = Omit<Diff, 'from' | 'to'> &
  Readonly<{ from: ToldEnd<Diff['from']>; to: ToldEnd<Diff['to']> }>;

const toldEnd = <E extends End>(asking: Asking, end: E): ToldEnd<E> => {
  const { lastChange } = end;
  return lastChange === null ? end : toldTo(asking, { ...end, lastChange });
};

/** The same for both ends of a diff. */
export const toldDiff = <Diff extends Readonly<{ from: End; to: End }>>(
  asking: Asking,
  diff: Diff,
): ToldDiff<Diff> => ({
  ...diff,
  from: toldEnd(asking, diff.from),
  to: toldEnd(asking, diff.to),
});
