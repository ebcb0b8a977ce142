/**
 * Writes milliseconds for a message: as a whole number from 10 on, else with two significant digits. The rest of a
 * deadline is a number such as 0.137169.
 */
export const durationText = (ms: number): string => `${ms >= 10 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
