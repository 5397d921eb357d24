import { type TestService } from './service.js';
import { until } from './until.js';

type Recorded = Readonly<{ position: number }>;

const FLAGS = '/projects/demo/flags';

const variantsOf = (...values: readonly unknown[]) =>
  values.map((value, nth) => ({ name: `v${nth}`, value }));

/** One flag of every type, enabled in production and serving its first variant. */
const ENABLED = [
  { key: 'a-boolean', type: 'boolean', variants: variantsOf(true, false) },
  { key: 'a-string', type: 'string', variants: variantsOf('ünï', '') },
  { key: 'an-integer', type: 'number', variants: variantsOf(10, -3) },
  { key: 'a-float', type: 'number', variants: variantsOf(10, 0.5) },
  { key: 'an-object', type: 'object', variants: variantsOf({ list: [1, { a: null }] }, {}) },
] as const;

/** Disabled everywhere, without a value to serve meanwhile. */
const DISABLED = { key: 'disabled', type: 'boolean', variants: variantsOf(true, false) } as const;

/** Makes them all, in demo/production. Resolves when this service evaluates them. */
export const createOfrepFlags = async (service: TestService): Promise<void> => {
  for (const flag of [...ENABLED, DISABLED]) {
    await service.post(FLAGS, { body: { ...flag, defaultVariant: 'v0', offVariant: null } });
    if (flag !== DISABLED)
      await service.post(`${FLAGS}/${flag.key}/environments/production/enable`);
  }
  await untilServed(service, await setVariant(service, 'a-boolean', 'v0'));
};

/** Serves one variant to everybody in production. @returns the log position of the change */
export const setVariant = async (
  service: TestService,
  flag: string,
  variant: string,
): Promise<number> => {
  const path = `${FLAGS}/${flag}/environments/production/fallthrough`;
  const { body } = await service.put<Recorded>(path, { body: { variant } });
  return body.position;
};

/** Waits until this service evaluates at a position. */
export const untilServed = (service: TestService, position: number): Promise<void> =>
  until(`position ${position} is evaluated`, async () => {
    const { headers } = await service.get('/projects/demo/environments/production/evaluate');
    return Number(headers['x-position']) >= position;
  });

/** Issues an application key for an environment of the project demo. */
export const issueKey = async (
  service: TestService,
  kind: 'server' | 'client',
  environment = 'production',
): Promise<Readonly<{ keyId: string; key: string }>> => {
  const path = `/projects/demo/environments/${environment}/keys`;
  const { body } = await service.post<{ keyId: string; key: string }>(path, {
    body: { kind, name: 'test' },
  });
  return body;
};
