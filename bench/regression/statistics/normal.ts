/**
 * The value that a standard normal variable exceeds with this chance. Source: P. J. Acklam's rational approximation
 * (relative error below 1.2e-9), reduced to the half that is needed.
 */
export function upperNormalQuantile(chance: number): number {
  if (!(chance > 0 && chance <= 0.5)) throw new RangeError(`a chance above 0 and at most 0.5 is needed, got ${chance}`);
  if (chance < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(chance));
    return -polynomial(TAIL_NUMERATOR, q) / polynomial(TAIL_DENOMINATOR, q);
  }
  const q = 0.5 - chance;
  const r = q * q;
  return (polynomial(MIDDLE_NUMERATOR, r) * q) / polynomial(MIDDLE_DENOMINATOR, r);
}

const polynomial = (coefficients: readonly number[], at: number) =>
  coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);

const TAIL_NUMERATOR = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_DENOMINATOR = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1];
const MIDDLE_NUMERATOR = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const MIDDLE_DENOMINATOR = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
];
