/** A change below this is not reported as `slower` or `faster`, however certain it is. */
export const MIN_EFFECT = 0.05;
/** The same as a difference of logarithms. */
export const MIN_SHIFT = Math.log1p(MIN_EFFECT);

/**
 * Chance that the first stage suspects any bench of a run where nothing changed. It only decides what is measured
 * again, so it is large. The two stages together raise a false alarm in at most 0.5 · 0.05 of the runs. Simulated runs
 * with 0.25 missed a slowdown of 15 % twice as often.
 */
export const SCREEN_ALPHA = 0.5;

/** Chance that the second stage confirms any suspect of a run where nothing changed. Its blocks are all new ones. */
export const CONFIRM_ALPHA = 0.05;

/** Chance that a run calls any bench faster where nothing changed. */
export const FASTER_ALPHA = 0.05;

/** `same`: the interval that misses the true change with this chance lies within the minimum effect. */
export const SAME_ALPHA = 0.1;

/** Blocks before a bench may be called `same`. */
export const MIN_BLOCKS_FOR_SAME = 6;

/** Share of the time that is kept for the second stage. */
export const CONFIRM_SHARE = 0.2;

/** More blocks than this of one stage tell little more. */
export const MAX_BLOCKS = 32;
