import { EVERY_ENTRY } from '../redis/redis-names.ts';
import type { Lease } from './lease.ts';

/** Work on a key that runs, so that an invalidation finds it. */
export interface OpenWork {
  readonly key: string;
  tags: readonly string[];
  /** A removal by this process, or forced work, began after this work did. */
  superseded: boolean;
  /** A removal by another process arrived. Redis knows which was first, by the lease and the tags. */
  doubted: boolean;
  lease: Lease | undefined;
  /** Tags that the factory added. Redis knows no version of them from before it ran. */
  addedTags: readonly string[];
  /** Tags that were invalidated since the work began, as far as this process knows. */
  readonly invalidated: Set<string>;
  /** Whether messages of other processes arrived when the work began. */
  readonly hears: boolean;
}

const MAX_INVALIDATED = 1_000;

/** All work of a process that runs. */
export class OpenWorks {
  readonly #works = new Set<OpenWork>();

  /** @param hears - Whether messages of other processes arrive. */
  begin(key: string, tags: readonly string[], hears: boolean): OpenWork {
    const work: OpenWork = {
      key,
      tags,
      superseded: false,
      doubted: false,
      lease: undefined,
      addedTags: [],
      invalidated: new Set(),
      hears,
    };
    this.#works.add(work);
    return work;
  }

  end(work: OpenWork): void {
    this.#works.delete(work);
  }

  /** Forced work on the key replaces the work that runs. */
  supersedeKey(key: string): void {
    for (const work of this.#works) if (work.key === key) work.superseded = true;
  }

  /** Keeps the work on these keys or tags from being stored; returns its keys. */
  supersede(keys: readonly string[], tags: readonly string[], here: boolean): readonly string[] {
    const concerned: string[] = [];
    for (const work of this.#works) {
      note(work, tags);
      if (!keys.includes(work.key) && !tags.includes(EVERY_ENTRY) && !work.tags.some((tag) => tags.includes(tag))) {
        continue;
      }
      if (here) work.superseded = true;
      else work.doubted = true;
      concerned.push(work.key);
    }
    return concerned;
  }

  /** Messages of other processes were lost: any tag may have been invalidated. */
  missedMessages(): void {
    for (const work of this.#works) if (work.hears) note(work, [EVERY_ENTRY]);
  }

  endLeases(): void {
    for (const { lease } of this.#works) void lease?.end({ give: true });
  }
}

/** The factory of the work added tags, which may have been invalidated since it began. */
export function addTags(work: OpenWork, tags: readonly string[]): void {
  work.addedTags = tags;
  work.tags = [...work.tags, ...tags];
  note(work, []);
}

function note(work: OpenWork, tags: readonly string[]): void {
  const { invalidated, addedTags } = work;
  for (const tag of tags) invalidated.add(invalidated.size < MAX_INVALIDATED ? tag : EVERY_ENTRY);
  if (addedTags.length === 0) return;
  if (invalidated.has(EVERY_ENTRY) || addedTags.some((tag) => invalidated.has(tag))) work.superseded = true;
}
