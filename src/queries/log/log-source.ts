import { projectIdOf } from '../../domain/streams.js';
import { type Database } from '../database.js';
import { flagView } from '../flags/flag-view.js';
import { flagNotFound, flagNotYetCreated } from '../flags/get-flag.js';
import { organizationNotFound } from '../organizations/get-organization.js';
import { organizationView } from '../organizations/organization-view.js';
import { projectNotFound, projectNotYetCreated } from '../projects/get-project.js';
import { projectView } from '../projects/project-view.js';
import { segmentNotFound, segmentNotYetCreated } from '../segments/get-segment.js';
import { segmentView } from '../segments/segment-view.js';
import { type FlagState, type SegmentState, type StateSource } from '../state-source.js';
import { type EventLog } from './event-log.js';
import { flagKeys, segmentKeys } from './entity-keys.js';
import { inBatches } from './in-batches.js';
import { replayFlag, replayOrganization, replayProject, replaySegment } from './replay.js';

/** More flags or segments than a project can sensibly have. */
const ALL = 1_000_000;

const projectFrom =
  (log: EventLog): StateSource['project'] =>
  async ({ organizationId, project }, { position }) => {
    const replayed = await replayProject(log, projectIdOf(organizationId, project), position);
    if (replayed.found === 'nothing') throw projectNotFound(project);
    if (replayed.found === 'later') throw projectNotYetCreated(project, replayed.createdAt);
    return projectView(replayed.state, replayed.createdAt, replayed.last);
  };

const organizationFrom =
  (log: EventLog): StateSource['organization'] =>
  async (organizationId, { position }) => {
    const replayed = await replayOrganization(log, organizationId, position);
    if (replayed.found !== 'state') throw organizationNotFound();
    return organizationView(organizationId, replayed.state, replayed.createdAt, replayed.last);
  };

const flagFrom =
  (log: EventLog): StateSource['flag'] =>
  async (address, moment) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const replayed = await replayFlag(log, projectId, address.flag, moment.position);
    if (replayed.found === 'state') return flagView(replayed);
    if (replayed.found === 'later') throw flagNotYetCreated(address, replayed.createdAt);
    await projectFrom(log)(address, moment);
    throw flagNotFound(address);
  };

const flagsFrom =
  (log: EventLog, db: Database): StateSource['flags'] =>
  async (address, { position }) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const keys = await flagKeys(db)(address, { limit: ALL });
    const states = await inBatches(keys, async (key): Promise<FlagState[]> => {
      const replayed = await replayFlag(log, projectId, key, position);
      return replayed.found === 'state' ? [{ ...replayed.last, state: replayed.state }] : [];
    });
    return states.flat();
  };

const segmentFrom =
  (log: EventLog): StateSource['segment'] =>
  async (address, moment) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const replayed = await replaySegment(log, projectId, address.segment, moment.position);
    if (replayed.found === 'state') return segmentView(replayed);
    if (replayed.found === 'later') throw segmentNotYetCreated(address, replayed.createdAt);
    await projectFrom(log)(address, moment);
    throw segmentNotFound(address);
  };

const segmentsFrom =
  (log: EventLog, db: Database): StateSource['segments'] =>
  async (address, { position }) => {
    const projectId = projectIdOf(address.organizationId, address.project);
    const keys = await segmentKeys(db)(address, { limit: ALL });
    const states = await inBatches(keys, async (key): Promise<SegmentState[]> => {
      const replayed = await replaySegment(log, projectId, key, position);
      return replayed.found === 'state' ? [{ ...replayed.last, state: replayed.state }] : [];
    });
    return states.flat();
  };

/**
 * States replayed from the event store. Which flags and segments a project has is the one thing asked of the read model
 * (its audit trail), because the log has no list of streams; each of their states is folded from the log alone.
 */
export const logSource = (log: EventLog, db: Database): StateSource => ({
  organization: organizationFrom(log),
  project: projectFrom(log),
  flag: flagFrom(log),
  flags: flagsFrom(log, db),
  segment: segmentFrom(log),
  segments: segmentsFrom(log, db),
});
