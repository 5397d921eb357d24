import { test } from 'tap';
import { addressOf, isWithin, networkOf } from '../../../src/domain/targeting/network.js';

const has = (network: string, address: string): boolean => {
  const [range, one] = [networkOf(network), addressOf(address)];
  if (range === undefined || one === undefined) throw new Error(`${network}, ${address}`);
  return isWithin(one, range);
};

test('a network has the addresses that begin like it', async (t) => {
  const rows: readonly (readonly [network: string, inside: string, outside: string])[] = [
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.0'],
    ['10.1.2.3/8', '10.0.0.0', '9.255.255.255'],
    ['192.168.1.128/25', '192.168.1.255', '192.168.1.127'],
    ['1.2.3.4', '1.2.3.4', '1.2.3.5'],
    ['255.255.255.255/32', '255.255.255.255', '255.255.255.254'],
    ['0.0.0.0/0', '255.1.2.3', '::1'],
    ['2001:db8::/32', '2001:DB8:ffff::1', '2001:db9::'],
    ['2001:db8::/33', '2001:db8:7fff::', '2001:db8:8000::'],
    ['::1', '0:0:0:0:0:0:0:1', '::2'],
    ['::/0', 'fe80::1', '1.2.3.4'],
    ['fe80::/64', 'fe80::1:2:3:4', 'fe80:0:0:1::'],
    ['2001:db8::1:0/112', '2001:db8::1:ffff', '2001:db8::2:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', '192.0.2.1'],
  ];
  for (const [network, inside, outside] of rows) {
    t.ok(has(network, inside), `${network} has ${inside}`);
    t.notOk(has(network, outside), `${network} has not ${outside}`);
  }
});

test('an IPv4 address mapped into IPv6 is that IPv4 address', async (t) => {
  t.ok(has('10.0.0.0/8', '::ffff:10.1.2.3'));
  t.ok(has('10.0.0.0/8', '::ffff:a01:203'));
  t.ok(has('::ffff:10.0.0.0/104', '10.9.9.9'));
  t.notOk(has('::ffff:10.0.0.0/104', '11.0.0.0'));
});

test('what is no address is none', async (t) => {
  const v4 = ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1.2.3.x', ' 1.2.3.4', '1..2.3'];
  const v6 = [
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    'g::',
    '12345::',
    '::1%eth0',
  ];
  const mixed = ['::1.2.3', '1.2.3.4::', '1:2:3:4:5:6:7::8', '10.0.0.0/8', `::${'0'.repeat(70)}`];
  for (const text of [...v4, ...v6, ...mixed]) t.equal(addressOf(text), undefined, text);
});

test('what is no network is none', async (t) => {
  const texts = ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/8/8'];
  for (const text of [...texts, '::/129', '::ffff:1.2.3.4/95', 'x/8'])
    t.equal(networkOf(text), undefined, text);
});
