/** The context of `factory.create`. */
export interface CreateContext {
  /** Aborts when `createTimeoutMs` is over or the pool is destroyed. */
  readonly signal: AbortSignal;
  /**
   * Reports at any later time that the resource may be broken, such as by a socket's `close`. An idle resource is then
   * validated, or replaced if there is no `validate`. It has no effect on a leased or removed one. Never throws.
   */
  readonly suspect: () => void;
}

/** Why a resource is validated. */
export interface ValidateContext {
  /** `borrow`: an acquirer is waiting for it. `background`: the health check of the pool. */
  readonly phase: 'borrow' | 'background';
  /** Aborts when a background check reaches its timeout; absent on borrow. */
  readonly signal?: AbortSignal;
}

/** Makes and destroys the resources of a pool. Every hook has a timeout, and none can harm the pool by throwing. */
export interface ResourceFactory<Resource> {
  /**
   * Creates a resource. `signal` aborts after `createTimeoutMs`, and when the pool is destroyed. A resource that
   * arrives later is destroyed. Its error is the cause of `DESCRIBE_POOL_CREATE_FAILED` for the waiting acquirer.
   */
  create(context: CreateContext): Resource | PromiseLike<Resource>;
  /** Destroys a resource. Its error is reported by the event `destroyFailed`, and has no other effect. */
  destroy(resource: Resource): unknown;
  /** Tells whether a resource may be used, on borrow and in the background. Throwing means no. */
  validate?(resource: Resource, context: ValidateContext): boolean | PromiseLike<boolean>;
  /** Cleans a resource between two users. Throwing, or taking longer than `resetTimeoutMs`, destroys it. */
  reset?(resource: Resource): unknown;
}
