/** No name of ours is as long. Comparing takes time by the length of both. */
const MAX_LENGTH = 64;

/**
 * The candidate that an unknown name most likely meant, else undefined: by one slip of the keyboard, by its words
 * (`threshold` for `failureThreshold`, `maxRetries` for `retry`), or by more slips, at most a third of its letters.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const known = [...candidates];
  const slips = nearestBy(known, (candidate) => editDistance(name.toLowerCase(), candidate.toLowerCase()));
  if (slips.distance <= 1) return slips.nearest;
  const words = wordsOf(name);
  const byWords = nearestBy(known, (candidate) => wordDistance(words, wordsOf(candidate)));
  if (Number.isFinite(byWords.distance)) return byWords.nearest;
  return slips.distance <= Math.floor(name.length / 3) ? slips.nearest : undefined;
}

function nearestBy(candidates: readonly string[], distanceOf: (candidate: string) => number) {
  let nearest: string | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const found = distanceOf(candidate);
    if (found < distance) [nearest, distance] = [candidate, found];
  }
  return { nearest, distance };
}

/** The words of a name in camel or snake case, in the singular. */
const wordsOf = (name: string): ReadonlySet<string> =>
  new Set(name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g)?.map((word) => singularOf(word.toLowerCase())));

const singularOf = (word: string): string => (word.length > 3 ? word.replace(/ies$/, 'y').replace(/s$/, '') : word);

/** How many words one name has beyond those of the other; infinite where each has words that the other lacks. */
function wordDistance(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const shared = [...left].filter((word) => right.has(word)).length;
  const isWithin = shared > 0 && shared === Math.min(left.size, right.size);
  return isWithin ? Math.max(left.size, right.size) - shared : Number.POSITIVE_INFINITY;
}

/** Number of slips between two texts: a letter added, left out or changed, or two neighbours swapped. */
function editDistance(left: string, right: string): number {
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swap = isSwap ? (beforePrevious[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      current[column] = Math.min(substitution, swap, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[right.length] ?? 0;
}
