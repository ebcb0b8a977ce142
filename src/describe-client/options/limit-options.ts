import { integer, type OptionChecks } from '../../internal/options/option-checks.ts';
import { type Settings, withDefault } from '../../internal/options/option-spec.ts';
import { QUOTA_LIMIT_CHECKS, type QuotaLimitOptions } from './endpoint-options.ts';

export interface AdmissionOptions {
  /**
   * Most calls in the client, running or waiting, at least 1. More are refused at once with `DESCRIBE_QUEUE_FULL`.
   * @defaultValue 10_000
   */
  readonly maxQueuedCalls?: number | undefined;
  /**
   * Most bytes of images in memory, at least 1: a call waits for capacity before it reads its image. An image larger
   * than this passes alone. Encoding an image into a request takes another 4/3 of its bytes while it is sent.
   * @defaultValue 268_435_456 (256 MiB)
   */
  readonly maxBytesInFlight?: number | undefined;
}

export const ADMISSION_SPEC = {
  maxQueuedCalls: withDefault(integer({ min: 1 }), 10_000),
  maxBytesInFlight: withDefault(integer({ min: 1 }), 268_435_456),
} satisfies OptionChecks<AdmissionOptions>;

export type AdmissionLimits = Settings<AdmissionOptions, typeof ADMISSION_SPEC>;

/** Limits of rate and concurrency. The first three hold for each quota group that has none of its own. */
export interface ClientLimitOptions extends QuotaLimitOptions, AdmissionOptions {
  /**
   * Processes that share the limits, at least 1. Each takes an equal share, unless they share them exactly through
   * Redis.
   * @defaultValue 1
   */
  readonly processes?: number | undefined;
}

export const CLIENT_LIMIT_CHECKS = {
  ...QUOTA_LIMIT_CHECKS,
  ...ADMISSION_SPEC,
  processes: integer({ min: 1 }),
} satisfies OptionChecks<ClientLimitOptions>;
