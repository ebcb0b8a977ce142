/** A promise with its settling functions outside; later settlements are ignored, as with any promise. */
export class Deferred<Value> {
  readonly promise: Promise<Value>;
  #resolve!: (value: Value | PromiseLike<Value>) => void;
  #reject!: (reason: unknown) => void;
  #settled = false;

  constructor() {
    this.promise = new Promise<Value>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  resolve(value: Value | PromiseLike<Value>): void {
    this.#settled = true;
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#settled = true;
    this.#reject(reason);
  }
}
