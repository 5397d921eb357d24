import { FlagdCore } from '@openfeature/flagd-core';
import { type Json } from '../../src/domain/json.js';

/** What flagd-core answers, in few words; `isInterpreted`: without generating code. */
export type FlagdAnswer = Readonly<{ variant?: string | undefined; reason: string | undefined }>;

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** A flagd in-process engine that holds the file. */
export const flagdEngine = (file: Json, isInterpreted = false): FlagdCore => {
  const core = new FlagdCore(undefined, silent, { disableDynamicCodeGeneration: isInterpreted });
  core.setConfigurations(JSON.stringify(file));
  return core;
};
