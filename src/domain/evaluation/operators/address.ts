import { addressOf, isWithin, networkOf } from '../../targeting/network.js';
import { FALSE, TRUE, UNKNOWN } from '../clauses/truth.js';
import { alwaysUnknown, type TestFactory } from './value-test.js';

/** An address within one of the networks. */
export const inCidr: TestFactory = (values) => {
  const networks = values.map((value) => networkOf(String(value)));
  if (!networks.every((network) => network !== undefined)) return alwaysUnknown;
  return (value) => {
    const address = typeof value === 'string' ? addressOf(value) : undefined;
    if (address === undefined) return UNKNOWN;
    for (const network of networks) if (isWithin(address, network)) return TRUE;
    return FALSE;
  };
};
