/** A promise that is settled from outside. Later settlements are ignored, as with any promise. */
export class Deferred<Value> {
  declare readonly promise: Promise<Value>;
  declare readonly resolve: (value: Value | PromiseLike<Value>) => void;
  declare readonly reject: (reason: unknown) => void;

  constructor() {
    let resolve!: Deferred<Value>['resolve'];
    let reject!: Deferred<Value>['reject'];
    this.promise = new Promise<Value>((settle, fail) => {
      resolve = settle;
      reject = fail;
    });
    this.resolve = resolve;
    this.reject = reject;
  }
}
