import { integer } from '../../internal/options/option-checks.ts';
import { ADMISSION_SPEC, type AdmissionOptions } from '../call/admission.ts';
import { QUOTA_LIMIT_CHECKS, type QuotaLimitOptions } from './endpoint-options.ts';

/** How fast and how much at once; the first three hold for each quota group that has none of its own. */
export interface ClientLimitOptions extends QuotaLimitOptions, Omit<AdmissionOptions, 'clock'> {
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
} as const;
