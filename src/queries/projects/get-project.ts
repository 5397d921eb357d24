import { DomainError } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type ExistingProject } from '../../domain/project/project.js';
import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { type Fact, factColumns, timeText } from '../provenance.js';
import { projectView, type ProjectView } from './project-view.js';

export type ProjectAddress = Readonly<{ organizationId: string; project: string }>;

export const projectNotFound = (project: string): DomainError =>
  new DomainError('project-not-found', `There is no project "${project}".`);

export const projectNotYetCreated = (project: string, createdAt: string | Date): DomainError =>
  new DomainError(
    'project-not-yet-created',
    `Project "${project}" was created at ${timeText(createdAt)}, after the moment asked for.`,
  );

type Row = Fact & { createdAt: Date; state: ExistingProject | null };

/**
 * A project with its environments as it was at a log position; a deleted one is an answer too.
 * @throws DomainError project-not-found, project-not-yet-created
 */
export const getProject =
  (db: Database) =>
  async (
    { organizationId, project }: ProjectAddress,
    { position }: Readonly<{ position: Position }>,
  ): Promise<ProjectView> => {
    const { rows } = await db.query<Row>({
      organizationId,
      name: 'project_at',
      text: `select p.created_at as "createdAt", r.state, ${factColumns('e')}
               from project p
               left join lateral (select h.state, h.position_from
                                    from project_revision h
                                   where h.project_id = p.project_id
                                     and h.position_from <= $2
                                   order by h.position_from desc
                                   limit 1) r on true
               left join audit_event e on e.position = r.position_from
              where p.project_id = $1`,
      values: [projectIdOf(organizationId, project), position],
    });
    const [row] = rows;
    if (row === undefined) throw projectNotFound(project);
    if (row.state === null) throw projectNotYetCreated(project, row.createdAt);
    return projectView(row.state, row.createdAt, row);
  };
