import { refusalKind } from './redis-error-kind.ts';

/** A pipeline of the user's client: one `[error, result]` a command. */
export interface RedisPipelineLike {
  exec(): Promise<readonly (readonly [Error | null, unknown])[] | null>;
}

/**
 * The members of an ioredis client that are used; `Redis` and `Cluster` of ioredis 5 and 6 have them. Declared here, so
 * that these types work without ioredis installed.
 */
export interface RedisClientLike {
  /** `'ready'` when commands can be sent. */
  readonly status: string;
  /** True for a Cluster. */
  readonly isCluster: boolean;
  readonly options: { readonly keyPrefix?: string | undefined };
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  pipeline(commands: unknown[][]): RedisPipelineLike;
  subscribe(channel: string): Promise<unknown>;
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  duplicate(...args: never[]): unknown;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** The servers that hold the data: the masters of a Cluster, else the one that the client is connected to. */
export function mastersOf(client: RedisClientLike): readonly RedisClientLike[] {
  const { nodes } = client as { nodes?: (role: 'master') => readonly RedisClientLike[] };
  return client.isCluster && nodes !== undefined ? nodes.call(client, 'master') : [client];
}

/** One Redis command and its arguments. */
export type RedisCommand = readonly [command: string, ...args: (string | number)[]];

/** A refusal about one command's data, such as a list where text was expected. Redis itself works. */
export class RedisDataError extends Error {
  override readonly name = 'RedisDataError';
}

/** The server refuses a command for this user, see `refusalKind`; other commands work. */
export class RedisRefusal extends Error {
  override readonly name = 'RedisRefusal';
  readonly command: RedisCommand;
  readonly kind: string;

  constructor(command: RedisCommand, kind: string, cause: Error) {
    super(`Redis refuses ${command[0]}`, { cause });
    this.command = command;
    this.kind = kind;
  }
}

/** Called for each refusal. */
export type RefusalListener = (refusal: RedisRefusal) => void;

/**
 * Sends commands in one go and returns the replies in their order. A refusal of the data of a command is a
 * `RedisDataError` in its place. A refused message is a `RedisRefusal` in its place, because the write before it was
 * done. Any other failure rejects the whole.
 */
export async function sendCommands(
  client: RedisClientLike,
  commands: readonly RedisCommand[],
  onRefusal: RefusalListener,
): Promise<readonly unknown[]> {
  if (commands.length === 1 || client.isCluster) {
    // A Cluster sends each command to the owner of its slot.
    return Promise.all(
      commands.map((command) =>
        client.call(...command).catch((error: unknown) => sortError(error, command, onRefusal)),
      ),
    );
  }
  const replies = await client.pipeline(commands.map((command) => ['call', ...command])).exec();
  if (replies === null) throw new Error('a pipeline was discarded');
  return replies.map(([error, result], index) =>
    error ? sortError(error, commands[index] ?? [''], onRefusal) : result,
  );
}

/** Called for each reply as it arrives, with the index of its command. */
export type ReplyListener = (index: number, reply: unknown) => void;

/**
 * As `sendCommands`, but passes on each reply as it arrives and keeps none. Each command is sent before the next one is
 * made, so that Redis begins at once.
 */
export async function sendEach(
  client: RedisClientLike,
  commands: Iterable<RedisCommand>,
  onReply: ReplyListener,
  onRefusal: RefusalListener,
): Promise<void> {
  const replies: Promise<void>[] = [];
  for (const command of commands) {
    const index = replies.length;
    replies.push(
      client
        .call(...command)
        .catch((error: unknown) => sortError(error, command, onRefusal))
        .then((reply) => onReply(index, reply)),
    );
  }
  await Promise.all(replies);
}

/** Refusals of the data of one command: a wrong type, no memory, a value that a script can't take. */
const DATA_REFUSAL = /^(WRONGTYPE|OOM|ERR)\b/;

function sortError(error: unknown, command: RedisCommand, onRefusal: RefusalListener): RedisDataError | RedisRefusal {
  const kind = refusalKind(error);
  if (kind !== undefined) {
    const refusal = new RedisRefusal(command, kind, error as Error);
    onRefusal(refusal);
    if (command[0] === 'PUBLISH') return refusal;
    throw refusal;
  }
  if (error instanceof Error && DATA_REFUSAL.test(error.message)) {
    return new RedisDataError(error.message.slice(0, 60), { cause: error });
  }
  throw error;
}
