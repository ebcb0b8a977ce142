import type { Clock } from '../../internal/clock.ts';
import { httpUrl } from '../../internal/options/http-checks.ts';
import { clockOption, integer, milliseconds, type OptionChecks } from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { type TlsOptions, tlsOptionsCheck } from './tls-options.ts';

/** How connections are opened, and what bounds them. */
export interface TransportOptions {
  /** Longest time to connect, TLS included, in milliseconds. @defaultValue 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Largest answer, in bytes. @defaultValue 67_108_864 */
  readonly maxResponseBytes?: number | undefined;
  /** URL of an HTTP proxy; its credentials are used and never shown. @defaultValue none */
  readonly proxy?: string | undefined;
  /** Custom authorities and client certificate. @defaultValue the system's */
  readonly tls?: TlsOptions | undefined;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

export const TRANSPORT_SPEC = {
  connectTimeoutMs: withDefault(milliseconds(), 10_000),
  maxResponseBytes: withDefault(integer({ min: 1 }), 67_108_864),
  proxy: httpUrl(),
  tls: tlsOptionsCheck,
  clock: clockOption,
} satisfies OptionChecks<TransportOptions>;
