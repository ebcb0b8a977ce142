import { integer, type OptionChecks } from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import { QUOTA_LIMIT_CHECKS, type QuotaLimitOptions } from './endpoint-options.ts';

export interface AdmissionOptions {
  /**
   * Calls in the client at a time, at work or waiting anywhere in it, at least 1; more are refused at once with
   * `DESCRIBE_QUEUE_FULL`.
   * @defaultValue 10_000
   */
  readonly maxQueuedCalls?: number | undefined;
  /**
   * Bytes of images held in memory at a time, at least 1: a call waits for capacity before it reads its image. An image
   * larger than this passes alone. Encoding an image into a request takes another 4/3 of its bytes while it is sent.
   * @defaultValue 268_435_456 (256 MiB)
   */
  readonly maxBytesInFlight?: number | undefined;
}

export const ADMISSION_SPEC = {
  maxQueuedCalls: withDefault(integer({ min: 1 }), 10_000),
  maxBytesInFlight: withDefault(integer({ min: 1 }), 268_435_456),
} satisfies OptionChecks<AdmissionOptions>;

export type AdmissionLimits = Settings<AdmissionOptions, typeof ADMISSION_SPEC>;

/** How fast and how much at once; the first three hold for each quota group that has none of its own. */
export interface ClientLimitOptions extends QuotaLimitOptions, AdmissionOptions {
  /**
   * Processes that share the limits: each takes its share while no Redis shares them out exactly. At least 1.
   * @defaultValue 1
   */
  readonly processes?: number | undefined;
}

export const CLIENT_LIMIT_CHECKS = {
  ...QUOTA_LIMIT_CHECKS,
  ...ADMISSION_SPEC,
  processes: integer({ min: 1 }),
} satisfies OptionChecks<ClientLimitOptions>;
