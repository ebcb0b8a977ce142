/**
 * The hypotheses that fall when the chance of any false one is `alpha`, by Holm's step-down procedure.
 *
 * Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
 * (1979).
 *
 * @param chances - A p value for each hypothesis, keyed as the caller likes.
 * @param familySize - Hypotheses of the family, those without a p value at this look included.
 */
export function rejectedByHolm<Key>(chances: ReadonlyMap<Key, number>, alpha: number, familySize: number): Set<Key> {
  const rejected = new Set<Key>();
  const ordered = [...chances].sort(([, left], [, right]) => left - right);
  for (const [index, [key, chance]] of ordered.entries()) {
    if (chance > alpha / (familySize - index)) break;
    rejected.add(key);
  }
  return rejected;
}

/**
 * The part of `alpha` that a look may use. The spending function is linear, α(t) = α·t, and each look spends what has
 * been added since the look before. The chances of the looks are added up (Bonferroni). So the sum is a bound, whatever
 * the data of one look share with those of the next.
 *
 * Source: K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983);
 * the linear one is ρ = 1 of K. Kim and D. L. DeMets, "Design and analysis of group sequential tests based on the type
 * I error spending rate function", Biometrika 74 (1987).
 *
 * @param from - Share of the planned blocks at the look before, 0 to 1.
 * @param to - Share of the planned blocks now.
 */
export function spentAtLook(alpha: number, from: number, to: number): number {
  return alpha * Math.max(0, Math.min(1, to) - Math.min(1, from));
}

/** Blocks after which the data are looked at: 4, 6, 8, 10, 12, 16, 20, …, and the last planned one. */
export function isLook(blocks: number, planned: number): boolean {
  if (blocks < FIRST_LOOK) return false;
  if (blocks === planned) return true;
  return blocks <= 12 ? blocks % 2 === 0 : blocks % 4 === 0;
}

export const FIRST_LOOK = 4;
