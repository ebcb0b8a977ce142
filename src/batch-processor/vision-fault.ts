import type { UpstreamError } from '../errors/upstream-error.ts';
import { classifyFailure } from '../internal/classify-failure.ts';

/**
 * Who is to blame for a failed request:
 * - `item`: one of its images; the pack is halved until the image is found. So it is with a 400 that says nothing of use;
 * - `size`: all of them together; the pack is halved;
 * - `pack`: none of them; the failure is the whole pack's.
 */
export type VisionFault = 'item' | 'size' | 'pack';

/** Judges by what the failure means here, whoever's error it is. */
export function visionFaultOf(error: unknown): VisionFault {
  const { code, retryable, status } = classifyFailure(error) as UpstreamError;
  if (code.startsWith('DESCRIBE_IMAGE_') || code === 'DESCRIBE_REFUSED') return 'item';
  // A request beyond a minute's limit never passes, however long it waits; a part of it may.
  if (code === 'DESCRIBE_RATE_LIMITED' && !retryable) return 'size';
  if (code === 'DESCRIBE_UPSTREAM' && status === 400) return 'item';
  return code === 'DESCRIBE_CONTEXT_TOO_LONG' || code === 'DESCRIBE_OUTPUT_TRUNCATED' ? 'size' : 'pack';
}
