import { flagDecider as flagDeciderWith } from '../../src/commands/flag/decider.js';
import { compileRegex } from '../../src/infrastructure/re2-regex-compiler.js';

/** As the service has it. */
export const flagDecider = flagDeciderWith({ compileRegex });
