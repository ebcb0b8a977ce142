import { DescribeError } from '../errors/describe-error.ts';
import { asForeign, codeOf, itemCodeOf } from './foreign-error.ts';

/**
 * Who is to blame for a failed request:
 * - `item`: one of its images; the pack is halved until the image is found;
 * - `size`: all of them together; the pack is halved;
 * - `pack`: none of them; the failure is the whole pack's.
 */
export type VisionFault = 'item' | 'size' | 'pack';

const SIZE_CODES = new Set(['context_length_exceeded', 'request_too_large']);

/** Judges by the shape of the error: ours by its code, the API's by its status and code. */
export function visionFaultOf(error: unknown): VisionFault {
  if (DescribeError.is(error)) {
    if (error.code.startsWith('DESCRIBE_IMAGE_') || error.code === 'DESCRIBE_REFUSED') return 'item';
    return error.code === 'DESCRIBE_CONTEXT_TOO_LONG' || error.code === 'DESCRIBE_OUTPUT_TRUNCATED'
      ? 'size'
      : 'pack';
  }
  const foreign = asForeign(error);
  if (foreign.status === 413) return 'size';
  if (foreign.status !== 400) return 'pack';
  if (SIZE_CODES.has(codeOf(foreign))) return 'size';
  return itemCodeOf(foreign) === undefined ? 'pack' : 'item';
}
