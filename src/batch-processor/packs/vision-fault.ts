import { failureMeaning } from '../../errors/failure-table.ts';
import { classifyFailure } from '../../internal/upstream/classify-failure.ts';

/**
 * The part of a failed request that is to blame:
 * - `item`: one of its images; the pack is halved until the image is found. So it is with a 400 that says nothing of
 *   use;
 * - `size`: all of them together; the pack is halved;
 * - `pack`: none of them; the failure is the whole pack's.
 */
export type VisionFault = 'item' | 'size' | 'pack';

/** Judges by the meaning of the failure here, also of a foreign error. */
export const visionFaultOf = (error: unknown): VisionFault => failureMeaning(classifyFailure(error)).blames;
