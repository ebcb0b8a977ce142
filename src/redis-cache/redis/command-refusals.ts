import type { RedisCommand } from './redis-client.ts';

/** Scripts use different commands, so one may be refused and another not. */
const nameOf = ([command, script]: RedisCommand): string => (command === 'EVAL' ? `${command} ${script}` : command);

/** The commands that a server refuses for this user, each until it succeeds. */
export class CommandRefusals {
  readonly #refused = new Map<string, { readonly command: string; readonly kind: string }>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#refused.size;
  }

  /** The kind of each refusal, by command. */
  get kinds(): ReadonlyMap<string, string> {
    return new Map([...this.#refused.values()].map(({ command, kind }) => [command, kind]));
  }

  has(command: string): boolean {
    return this.#refused.size > 0 && this.kinds.has(command);
  }

  add(command: RedisCommand, kind: string): void {
    const name = nameOf(command);
    if (this.#refused.get(name)?.kind === kind) return;
    this.#refused.set(name, { command: command[0], kind });
    this.#onChange();
  }

  /** Records that a command succeeded. */
  remove(command: RedisCommand): void {
    if (this.#refused.delete(nameOf(command))) this.#onChange();
  }
}
