import { type ApplicationKeyKind } from './events.js';

/** What a valid application key proves. */
export type ApplicationKey = Readonly<{
  keyId: string;
  kind: ApplicationKeyKind;
  organizationId: string;
  /** The one environment that it may evaluate. */
  environmentId: string;
  /** Of web pages that may evaluate there; absent: those of the installation. */
  allowedOrigins?: readonly string[];
}>;
