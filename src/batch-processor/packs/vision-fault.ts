import { failureMeaning } from '../../errors/failure-table.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';

/**
 * The part of a failed request that is to blame:
 * - `item`: one of its images, or a 400 without a reason; the pack is halved until the image is found;
 * - `size`: all of them together; the pack is halved;
 * - `pack`: none of them; the whole pack fails.
 */
export type VisionFault = 'item' | 'size' | 'pack';

/** Judges by the table of failures, also a foreign error. */
export const visionFaultOf = (error: unknown): VisionFault => failureMeaning(classifyFailure(error)).blames;
