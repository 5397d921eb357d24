import { type FlagdExport, flagdExport } from '../../queries/flagd/flagd-export.js';
import { type RulesetMemory } from '../../queries/rulesets/ruleset-memory.js';
import { encodeDocument } from './messages.js';

/** A document as it goes over the wire. */
export type EncodedDocument = Readonly<{ tag: string; message: Buffer }>;

export type Documents = Readonly<{
  /** Undefined when there is no such environment, or nothing has been loaded yet. */
  of: (environmentId: string) => EncodedDocument | undefined;
  /** Told of the environments that were touched. The returned function ends the subscription. */
  subscribe: (listener: (touched: readonly string[]) => void) => () => void;
}>;

/** `<project>/<environment>` of an environmentId, whose organization nobody outside needs. */
const flagSetIdOf = (environmentId: string): string => environmentId.split(':').slice(1).join('/');

/** The flagd documents of all environments, each encoded once for all who read it. */
export const documentsOf = (memory: RulesetMemory): Documents => {
  const encoded = new WeakMap<FlagdExport, EncodedDocument>();
  return {
    of: (environmentId) => {
      const environment = memory.current()?.environments.get(environmentId);
      if (environment === undefined) return undefined;
      const made = flagdExport(environment, flagSetIdOf(environmentId));
      const document = encoded.get(made) ?? { tag: made.tag, message: encodeDocument(made.text) };
      encoded.set(made, document);
      return document;
    },
    subscribe: (listener) =>
      memory.subscribe((_, touched) => {
        listener(touched);
      }),
  };
};
