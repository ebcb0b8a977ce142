import { type BusMessage, encodeMessage } from './bus-message.ts';
import { type RedisCommand, RedisDataError } from './redis-client.ts';
import type { OperationDeadline, RedisGateway, RedisReply } from './redis-gateway.ts';
import { newTagVersion, type RedisNames } from './redis-names.ts';
import { END_LEASE, FILL, KEEP_LEASE, READ_BOUNDED, STAMP_TAG, TAKE_LEASE } from './redis-scripts.ts';

/** Tag → its current version in Redis, `undefined` where there is none. */
export type TagVersions = ReadonlyMap<string, string | undefined>;

/** The text under a key, `undefined` for none. A value of another type reads as a text that is no entry. */
export interface RawRead {
  readonly text: string | undefined;
  readonly versions: TagVersions;
}

export interface RedisTierOptions {
  readonly names: RedisNames;
  readonly source: string;
  readonly maxValueBytes: number;
}

export interface RawWrite {
  readonly key: string;
  readonly text: string;
  readonly keepMs: number;
}

export interface RawClaim extends RawRead {
  /** Undefined where Redis refused because it is out of memory, so that no process can have the lease. */
  readonly owned: boolean | undefined;
}

/** Stands for a value of another type under a key of the cache. */
const NO_ENTRY = '?';
const MAX_NAMES_IN_MESSAGE = 500;
/** The result of a script that was done, but whose message was refused. */
const NOT_PUBLISHED = 2;
/** Few enough that the first answer comes early, and enough that one more command costs nothing. */
const KEYS_PER_COMMAND = 350;
/** Time after a failed bulk read in which bulk reads ask for lengths first. */
const CAREFUL_MS = 60_000;

const textOf = (reply: unknown): string | undefined => {
  if (reply instanceof RedisDataError) return NO_ENTRY;
  return typeof reply === 'string' && reply !== '' ? reply : undefined;
};

const versionOf = (reply: unknown) => (typeof reply === 'string' ? reply : undefined);
const map = <From, To>(reply: RedisReply<From>, change: (value: From) => To): RedisReply<To> =>
  reply.ok ? { ok: true, value: change(reply.value) } : reply;

/**
 * The tier in Redis: the commands of each operation, and the meaning of their replies. Failures are returned as
 * replies.
 */
export class RedisTier {
  readonly #gateway: RedisGateway;
  readonly #names: RedisNames;
  readonly #source: string;
  readonly #maxValueBytes: number;
  #carefulUntilMs = Number.NEGATIVE_INFINITY;

  constructor(gateway: RedisGateway, { names, source, maxValueBytes }: RedisTierOptions) {
    this.#gateway = gateway;
    this.#names = names;
    this.#source = source;
    this.#maxValueBytes = maxValueBytes;
  }

  /** One entry and the versions of some tags. */
  async read(key: string, tags: readonly string[], deadline: OperationDeadline): Promise<RedisReply<RawRead>> {
    const commands = [this.#get(key), ...this.#getTags(tags)];
    return map(await this.#gateway.send('read', commands, deadline), ([text, ...versions]) => ({
      text: textOf(text),
      versions: zip(tags, versions),
    }));
  }

  /**
   * Reads many entries. Calls `take` for each answer that arrives, with the index of its first key. Each command has
   * some hundred keys, so that Redis works on the next one while this process decodes the last. On a Cluster it has one
   * key.
   *
   * `MGET` can't bound the bytes that it transfers. A script can, but it looks each key up twice. The script is used
   * for a while after an `MGET` that timed out, which costs its connection, or that gave a value that is too large.
   */
  async readMany(
    keys: readonly string[],
    deadline: OperationDeadline,
    take: (first: number, replies: readonly unknown[]) => void,
  ): Promise<RedisReply<unknown>> {
    if (this.#gateway.isCluster) {
      const gets = keys.map((key) => this.#get(key));
      return this.#gateway.sendEach('read', gets, deadline, (index, reply) =>
        take(index, [reply instanceof RedisDataError ? NO_ENTRY : reply]),
      );
    }
    const isCareful = deadline.untilMs < this.#carefulUntilMs;
    const commands = this.#bulkReads(keys, isCareful);
    const reply = await this.#gateway.sendEach('read', commands, deadline, (index, texts) => {
      if (Array.isArray(texts)) take(index * KEYS_PER_COMMAND, texts);
    });
    if (!reply.ok && (reply.reason === 'timeout' || reply.reason === 'failed')) {
      this.becomeCareful(deadline);
      // The rest of a reply that is too large would delay all later replies.
      if (reply.reason === 'timeout' && !isCareful) this.#gateway.dropConnection();
    }
    return reply;
  }

  /** Asks for lengths first, for a while, because a value may be too large. */
  becomeCareful({ untilMs }: OperationDeadline): void {
    this.#carefulUntilMs = untilMs + CAREFUL_MS;
  }

  async versions(tags: readonly string[], deadline: OperationDeadline): Promise<RedisReply<TagVersions>> {
    const reply = await this.#gateway.send('read tags', this.#getTags(tags), deadline);
    return map(reply, (versions) => zip(tags, versions));
  }

  /** The versions of these tags, kept for at least `keepMs`. A missing one is created. */
  async stamp(tags: readonly string[], keepMs: number, deadline: OperationDeadline): Promise<RedisReply<TagVersions>> {
    const reply = await this.#gateway.send('stamp tags', this.#stampTags(tags, keepMs), deadline);
    return map(reply, (versions) => zip(tags, versions));
  }

  /** Takes the lease and only then reads the entry, so that its owner sees earlier writes. Stamps the tags, too. */
  async claim(
    key: string,
    { token, leaseMs, force, tags, keepMs }: ClaimRequest,
    deadline: OperationDeadline,
  ): Promise<RedisReply<RawClaim>> {
    const lease = this.#names.lease(key);
    const commands: RedisCommand[] = [
      ['EVAL', TAKE_LEASE, 1, lease, token, Math.ceil(leaseMs), force ? 1 : 0],
      this.#get(key),
      ...this.#stampTags(tags, keepMs),
    ];
    const reply = await this.#gateway.send('claim', commands, deadline);
    // The lease may have been taken before the refused command. The next caller would wait for it.
    if (!reply.ok && reply.reason === 'failed') void this.endLease(key, token, this.#gateway.deadline());
    return map(reply, ([owned, text, ...versions]) => ({
      owned: owned instanceof RedisDataError ? undefined : owned === 1,
      text: textOf(text),
      versions: zip(tags, versions),
    }));
  }

  /** Whether the lease is still held. */
  async keepLease(
    key: string,
    token: string,
    leaseMs: number,
    deadline: OperationDeadline,
  ): Promise<RedisReply<boolean>> {
    const command: RedisCommand = ['EVAL', KEEP_LEASE, 1, this.#names.lease(key), token, Math.ceil(leaseMs)];
    return map(await this.#gateway.send('keep lease', [command], deadline), ([held]) => held === 1);
  }

  async endLease(key: string, token: string, deadline: OperationDeadline): Promise<void> {
    const args = [this.#names.lease(key), token, this.#names.channel, this.#message('released', [key])];
    const command: RedisCommand = ['EVAL', END_LEASE, 1, ...args];
    const reply = await this.#gateway.send('end lease', [command], deadline);
    if (reply.ok) this.#notePublished(reply.value[0]);
  }

  /** Whether the entry was written: false when the lease was lost, undefined when Redis is out of memory. */
  async fill(
    { key, text, keepMs }: RawWrite,
    token: string,
    deadline: OperationDeadline,
  ): Promise<RedisReply<boolean | undefined>> {
    const keys = [this.#names.lease(key), this.#names.entry(key)];
    const args = [token, text, Math.ceil(keepMs), this.#names.channel, this.#message('keys', [key])];
    const reply = await this.#gateway.send('fill', [['EVAL', FILL, 2, ...keys, ...args]], deadline);
    return map(reply, ([written]) => {
      this.#notePublished(written);
      return written instanceof RedisDataError ? undefined : written === 1 || written === NOT_PUBLISHED;
    });
  }

  /** A script that may not publish has done everything else. */
  #notePublished(result: unknown): void {
    if (result === NOT_PUBLISHED) this.#gateway.refusals.add(['PUBLISH'], 'NOPERM');
    else if (result === 1) this.#gateway.refusals.remove(['PUBLISH']);
  }

  /**
   * Writes all entries, ends other processes' work on these keys, and notifies them. False where Redis is out of
   * memory.
   */
  async write(writes: readonly RawWrite[], deadline: OperationDeadline): Promise<RedisReply<readonly boolean[]>> {
    const keys = writes.map(({ key }) => key);
    const sets = writes.map(
      ({ key, text, keepMs }): RedisCommand => ['SET', this.#names.entry(key), text, 'PX', Math.ceil(keepMs)],
    );
    const commands = [...sets, ...this.#unlink(keys.map((key) => this.#names.lease(key)))];
    const reply = await this.#sendAndNotify('write', commands, 'keys', keys, deadline);
    return map(reply, (results) => results.slice(0, sets.length).map((result) => result === 'OK'));
  }

  /** Removes the keys. Returns how many of them were in Redis. */
  async remove(keys: readonly string[], deadline: OperationDeadline): Promise<RedisReply<number>> {
    const entries = this.#unlink(keys.map((key) => this.#names.entry(key)));
    const leases = this.#unlink(keys.map((key) => this.#names.lease(key)));
    const reply = await this.#sendAndNotify('remove', [...entries, ...leases], 'keys', keys, deadline);
    return map(reply, (results) =>
      results.slice(0, entries.length).reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0),
    );
  }

  async removeTags(tags: readonly string[], deadline: OperationDeadline): Promise<RedisReply> {
    const commands = this.#unlink(tags.map((tag) => this.#names.tag(tag)));
    return this.#sendAndNotify('invalidate', commands, 'tags', tags, deadline);
  }

  *#bulkReads(keys: readonly string[], isCareful: boolean): Generator<RedisCommand> {
    for (let first = 0; first < keys.length; first += KEYS_PER_COMMAND) {
      const count = Math.min(KEYS_PER_COMMAND, keys.length - first);
      const command: [string, ...(string | number)[]] = isCareful ? ['EVAL', READ_BOUNDED, count] : ['MGET'];
      for (let index = 0; index < count; index += 1) command.push(this.#names.entry(keys[first + index] as string));
      if (isCareful) command.push(this.#maxValueBytes);
      yield command;
    }
  }

  #get(key: string): RedisCommand {
    // A range bounds the bytes that are transferred.
    return ['GETRANGE', this.#names.entry(key), 0, this.#maxValueBytes];
  }

  #getTags(tags: readonly string[]): RedisCommand[] {
    return tags.map((tag) => ['GET', this.#names.tag(tag)]);
  }

  #stampTags(tags: readonly string[], keepMs: number): RedisCommand[] {
    return tags.map((tag) => ['EVAL', STAMP_TAG, 1, this.#names.tag(tag), newTagVersion(), Math.ceil(keepMs)]);
  }

  #unlink(names: readonly string[]): RedisCommand[] {
    if (names.length === 0) return [];
    return this.#gateway.isCluster ? names.map((name) => ['UNLINK', name]) : [['UNLINK', ...names]];
  }

  /** Messages follow the writes on one connection. A Cluster has several, so there they wait for the replies. */
  async #sendAndNotify(
    operation: string,
    commands: readonly RedisCommand[],
    action: BusMessage['action'],
    names: readonly string[],
    deadline: OperationDeadline,
  ): Promise<RedisReply> {
    const messages: RedisCommand[] = [];
    for (let start = 0; start < names.length; start += MAX_NAMES_IN_MESSAGE) {
      const message = this.#message(action, names.slice(start, start + MAX_NAMES_IN_MESSAGE));
      messages.push(['PUBLISH', this.#names.channel, message]);
    }
    if (!this.#gateway.isCluster) return this.#gateway.send(operation, [...commands, ...messages], deadline);
    const reply = await this.#gateway.send(operation, commands, deadline);
    if (reply.ok) await this.#gateway.send('notify', messages, deadline);
    return reply;
  }

  #message(action: BusMessage['action'], names: readonly string[]): string {
    return encodeMessage({ source: this.#source, action, names });
  }
}

export interface ClaimRequest {
  readonly token: string;
  readonly leaseMs: number;
  /** Whether to take the lease from any process that has it. */
  readonly force: boolean;
  readonly tags: readonly string[];
  readonly keepMs: number;
}

function zip(tags: readonly string[], versions: readonly unknown[]): TagVersions {
  return new Map(tags.map((tag, index) => [tag, versionOf(versions[index])]));
}
