import { KeyRefusal } from './key-refusal.ts';
import type { RouterEndpoint } from './router-endpoint.ts';

const DEFAULT_MAX_CONCURRENCY = 256;

/** What a router knows of an endpoint whatever the model. */
export class EndpointState<Target> {
  readonly name: string;
  readonly target: Target;
  readonly weight: number;
  readonly model: string | undefined;
  readonly maxConcurrency: number;
  readonly initialConcurrency: number | undefined;
  /** Whether its quota group was given, so that no answer changes it. */
  readonly groupGiven: boolean;
  quotaGroup: string;
  /** Calls in flight, of all models. */
  inFlight = 0;
  /** What its answers named last. */
  organization: string | undefined = undefined;
  /** Whether the API refuses its key, whatever the model. */
  readonly keyRefusal = new KeyRefusal();

  constructor({
    name,
    target,
    weight = 1,
    quotaGroup,
    model,
    maxConcurrency = DEFAULT_MAX_CONCURRENCY,
    initialConcurrency,
  }: RouterEndpoint<Target>) {
    this.name = name;
    this.target = target;
    this.weight = weight;
    this.model = model;
    this.maxConcurrency = maxConcurrency;
    this.initialConcurrency = initialConcurrency;
    this.groupGiven = quotaGroup !== undefined;
    this.quotaGroup = quotaGroup ?? name;
  }

  /** Whether another call may be in flight, of whatever model: one at a time while its key is in doubt. */
  get hasSlot(): boolean {
    return this.inFlight < (this.keyRefusal.isDoubted ? 1 : this.maxConcurrency);
  }
}
