import * as fc from 'fast-check';
import { type DomainEvent } from '../../src/domain/catalogue.js';
import { type ProjectEvent } from '../../src/domain/project.js';
import { type Recorded } from '../../src/domain/recorded.js';
import { ENVIRONMENTS, environmentAdded, logs, onProject, recorded } from './histories.js';

const projectEvents = fc.constantFrom<ProjectEvent>(
  { type: 'ProjectDeleted', data: {} },
  { type: 'ProjectRestored', data: {} },
  environmentAdded('staging'),
  ...ENVIRONMENTS.flatMap((environment) => [
    { type: 'EnvironmentDeleted', data: { environment } } as const,
    { type: 'EnvironmentRestored', data: { environment } } as const,
  ]),
);

/** Random logs in which environments and the project also come and go. */
export const snapshotLogs = (maxLength = 40): fc.Arbitrary<readonly Recorded<DomainEvent>[]> =>
  fc
    .tuple(logs(maxLength), fc.array(fc.tuple(fc.nat(maxLength), projectEvents), { maxLength: 10 }))
    .map(([log, more]) => {
      const entries = log.map(({ stream, type, data }) => ({
        stream,
        event: { type, data } as DomainEvent,
      }));
      for (const [at, event] of more) entries.splice(Math.max(3, at), 0, onProject(event));
      return recorded(entries);
    });
