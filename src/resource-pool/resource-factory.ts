/** What `factory.create` is told. */
export interface CreateContext {
  /** Aborts when `createTimeoutMs` is over or the pool is destroyed. */
  readonly signal: AbortSignal;
  /**
   * Says at any later moment that the resource may have died, as a socket does when it closes: an idle one is soon
   * validated, or replaced where there is no `validate`. Nothing happens to one that is on loan or gone. Never throws.
   */
  readonly suspect: () => void;
}

/** Why a resource is being looked at. */
export interface ValidateContext {
  /** `borrow`: an acquirer is waiting for it. `background`: the health check of the pool. */
  readonly phase: 'borrow' | 'background';
  /** Aborts when the time of a background check is up; absent on borrow. */
  readonly signal?: AbortSignal;
}

/** Makes and unmakes what a pool keeps. Every hook is time-boxed, and none can hurt the pool by throwing. */
export interface ResourceFactory<Resource> {
  /**
   * Makes a resource. `signal` aborts when `createTimeoutMs` is over or the pool is destroyed; a resource that arrives
   * later is destroyed. What it throws reaches the waiting acquirer as the cause of `DESCRIBE_POOL_CREATE_FAILED`.
   */
  create(context: CreateContext): Resource | PromiseLike<Resource>;
  /** Unmakes a resource. What it throws is reported by the event `destroyFailed` and has no other effect. */
  destroy(resource: Resource): unknown;
  /** Tells whether a resource may be used, on borrow and in the background. Throwing means no. */
  validate?(resource: Resource, context: ValidateContext): boolean | PromiseLike<boolean>;
  /** Cleans a resource between two users. Throwing, or taking longer than `resetTimeoutMs`, destroys it. */
  reset?(resource: Resource): unknown;
}
