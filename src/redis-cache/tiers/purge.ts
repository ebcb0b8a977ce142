import type { TagStamps } from '../entries/cache-entry.ts';
import { readHead } from '../entries/decode-entry.ts';
import type { RedisClientLike, RedisCommand } from '../redis/redis-client.ts';
import type { RedisGateway } from '../redis/redis-gateway.ts';
import type { RedisLink } from '../redis/redis-link.ts';
import type { TierPair } from './tier-pair.ts';

const NAMES_PER_SCAN = 200;
/** Bytes of an entry that are read to find its tags, without its value. */
const HEAD_BYTES = 16_384;

const carriesAny = (stamps: TagStamps, tags: readonly string[]): boolean =>
  tags.some((tag) => Object.hasOwn(stamps, tag));

/** Removes every entry with one of these tags from memory and from every server, a few names at a time. */
export async function purgeTags(pair: TierPair, tags: readonly string[]): Promise<number> {
  for (const [key, { entry }] of pair.memory) if (carriesAny(entry.tags, tags)) pair.memory.delete(key);
  const { link } = pair;
  if (link === undefined || tags.length === 0) return 0;
  let removed = 0;
  for (const node of link.gateway.servers) {
    for await (const names of scan(pair, link, node)) {
      removed += await purgeNames(pair, link.gateway, names, tags);
    }
  }
  return removed;
}

/** Names of entries in the form of commands, without the prefix that the client adds. */
async function* scan(
  pair: TierPair,
  { gateway, names: { clientPrefix, everyEntry } }: RedisLink,
  node: RedisClientLike,
): AsyncGenerator<readonly string[], void> {
  let cursor = '0';
  do {
    const command: RedisCommand = ['SCAN', cursor, 'MATCH', everyEntry, 'COUNT', NAMES_PER_SCAN];
    const [reply] = pair.unwrap(await gateway.send('scan', [command], gateway.deadline(), node)) ?? [];
    if (!Array.isArray(reply)) return;
    const [next, names] = reply as [string, string[]];
    cursor = next;
    yield names.map((name) => name.slice(clientPrefix.length));
  } while (cursor !== '0');
}

async function purgeNames(
  pair: TierPair,
  gateway: RedisGateway,
  names: readonly string[],
  tags: readonly string[],
): Promise<number> {
  if (names.length === 0) return 0;
  const heads = await readNames(pair, gateway, names, HEAD_BYTES);
  const doomed: string[] = [];
  for (const [index, name] of names.entries()) {
    const head = heads[index];
    if (typeof head !== 'string') continue;
    // The tags are longer than the part that was read.
    const isCut = Buffer.byteLength(head) > HEAD_BYTES && !head.includes('\n');
    const text = isCut ? (await readNames(pair, gateway, [name], pair.options.maxValueBytes))[0] : head;
    const stamps = typeof text === 'string' ? readHead(text)?.tags : undefined;
    if (stamps !== undefined && carriesAny(stamps, tags)) doomed.push(name);
  }
  if (doomed.length === 0) return 0;
  const unlinks = doomed.map((name): RedisCommand => ['UNLINK', name]);
  const counts = pair.unwrap(await gateway.send('purge', unlinks, gateway.deadline(doomed.length))) ?? [];
  return counts.filter((count) => count === 1).length;
}

async function readNames(
  pair: TierPair,
  gateway: RedisGateway,
  names: readonly string[],
  bytes: number,
): Promise<readonly unknown[]> {
  const reads = names.map((name): RedisCommand => ['GETRANGE', name, 0, bytes]);
  return pair.unwrap(await gateway.send('purge', reads, gateway.deadline(names.length))) ?? [];
}
