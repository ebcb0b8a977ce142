/** A counter that rewrites its line on a terminal and is silent elsewhere, where lines can't be rewritten. */
export class Progress {
  readonly #total: number;
  readonly #onTerminal = process.stdout.isTTY === true;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  step(): void {
    this.#done += 1;
    if (this.#onTerminal) process.stdout.write(`\r  ${this.#done}/${this.#total}`);
  }

  done(): void {
    if (this.#onTerminal) process.stdout.write('\r\u001b[K');
  }
}
