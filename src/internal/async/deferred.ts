const none = (): void => {};
let resolveMade: (value: never) => void = none;
let rejectMade: (reason: unknown) => void = none;
/** One for all promises: a closure for each would be a fifth of what a deferred promise allocates. */
const keepSettlers = (resolve: (value: never) => void, reject: (reason: unknown) => void): void => {
  resolveMade = resolve;
  rejectMade = reject;
};

/** A promise that is settled from outside. Later settlements are ignored, as with any promise. */
export class Deferred<Value> {
  declare readonly promise: Promise<Value>;
  declare readonly resolve: (value: Value | PromiseLike<Value>) => void;
  declare readonly reject: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise<Value>(keepSettlers);
    this.resolve = resolveMade as Deferred<Value>['resolve'];
    this.reject = rejectMade;
    // What is kept here would not be collected.
    resolveMade = none;
    rejectMade = none;
  }
}
