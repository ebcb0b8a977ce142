import { answerNow } from '../../internal/async/user-callback.ts';
import { type CacheEntry, carriesAny, type TagStamps } from '../entries/cache-entry.ts';
import { mergeTags } from '../entries/cache-input.ts';
import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { Stamps } from '../tiers/tiered-writer.ts';

/** What a request wants of an entry. */
export interface Asked {
  readonly tags: readonly string[];
  readonly isValid: ((value: unknown) => boolean) | undefined;
}

/**
 * An entry answers a request only if it carries every tag asked for: a tag added in code invalidates older entries. Its
 * value has to be one that the request can use.
 */
export const answers = ({ tags, failure, value }: CacheEntry, { tags: asked, isValid }: Asked): boolean =>
  asked.every((tag) => carriesAny(tags, [tag])) && (failure !== undefined || accepts(isValid, value));

/** A check that throws has not accepted. */
export const accepts = (isValid: Asked['isValid'], value: unknown): boolean =>
  isValid === undefined || answerNow(isValid, value, false) === true;

/**
 * What replaces an entry for lack of a tag keeps the others: callers with different tags would take turns at replacing
 * it. Their versions are those that the entry carries, which were taken before anything is made now.
 */
export function withTagsOf(replaced: CacheEntry | undefined, stamps: Stamps): Stamps {
  if (replaced === undefined) return stamps;
  const asked = namesOf(stamps.tags);
  if (mergeTags(asked, namesOf(replaced.tags)) === asked) return stamps;
  return { ...stamps, tags: { ...replaced.tags, ...stamps.tags } };
}

const namesOf = (stamps: TagStamps) => Object.keys(stamps).filter((tag) => tag !== EVERY_ENTRY);
