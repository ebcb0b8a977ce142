import type { DescribeError } from '../errors/describe-error.ts';
import type { RouterEndpoint } from './router-endpoint.ts';

const DEFAULT_MAX_CONCURRENCY = 256;

/** What a router knows of an endpoint whatever the model. */
export class EndpointState<Target> {
  readonly name: string;
  readonly target: Target;
  readonly weight: number;
  readonly model: string | undefined;
  readonly maxConcurrency: number;
  /** Whether its quota group was given, so that no answer changes it. */
  readonly groupGiven: boolean;
  quotaGroup: string;
  /** Calls in flight, of all models. */
  inFlight = 0;
  /** What its answers named last. */
  organization: string | undefined = undefined;
  /** Why it is out of rotation for good. */
  dropped: DescribeError | undefined = undefined;

  constructor({
    name,
    target,
    weight = 1,
    quotaGroup,
    model,
    maxConcurrency = DEFAULT_MAX_CONCURRENCY,
  }: RouterEndpoint<Target>) {
    this.name = name;
    this.target = target;
    this.weight = weight;
    this.model = model;
    this.maxConcurrency = maxConcurrency;
    this.groupGiven = quotaGroup !== undefined;
    this.quotaGroup = quotaGroup ?? name;
  }
}
