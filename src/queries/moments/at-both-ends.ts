import { type Moment } from './resolve-moment.js';

/** Reads the later end first: what it says of something unknown is the answer, however quick each query is. */
export const atBothEnds = async <Row>(
  read: (end: Moment) => Promise<Row>,
  from: Moment,
  to: Moment,
): Promise<readonly [from: Row, to: Row]> => {
  const isBackwards = from.position > to.position;
  const later = await read(isBackwards ? from : to);
  const earlier = await read(isBackwards ? to : from);
  return isBackwards ? [later, earlier] : [earlier, later];
};
