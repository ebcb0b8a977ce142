import { answerNow } from '../../internal/async/user-callback.ts';
import type { CacheEntry, TagStamps } from '../entries/cache-entry.ts';
import { mergeTags } from '../entries/cache-input.ts';
import { reviveFailure } from '../entries/negative-entry.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { Stamps } from '../tiers/tiered-writer.ts';

/** The requirements of a caller on an entry. */
export interface Wanted {
  readonly tags: readonly string[];
  readonly isValid: ((value: unknown) => boolean) | undefined;
}

/** Whether an entry has every tag that the caller names, and a value that it accepts. */
export function matches({ tags, failure, value }: CacheEntry, { tags: wanted, isValid }: Wanted): boolean {
  for (const tag of wanted) if (!Object.hasOwn(tags, tag)) return false;
  return isValid === undefined || failure !== undefined || accepts(isValid, value);
}

/** A check that throws counts as not accepted. */
export const accepts = (isValid: Wanted['isValid'], value: unknown): boolean =>
  isValid === undefined || answerNow(isValid, value, false) === true;

/** The value of an entry. @throws the failure that is remembered instead. */
export function entryValue({ failure, value }: CacheEntry): unknown {
  if (failure !== undefined) throw reviveFailure(failure);
  return value;
}

/**
 * The stamps, with the other tags of an entry that is replaced because it lacks a tag. Without them, callers with
 * different tags would replace it in turns. The entry's versions were read before the new value is made, so they stay
 * correct.
 */
export function withTagsOf(replaced: CacheEntry, stamps: Stamps): Stamps {
  const own = namesOf(stamps.tags);
  if (mergeTags(own, namesOf(replaced.tags)) === own) return stamps;
  return { ...stamps, tags: { ...replaced.tags, ...stamps.tags } };
}

const namesOf = (stamps: TagStamps) => Object.keys(stamps).filter((tag) => tag !== EVERY_ENTRY);
