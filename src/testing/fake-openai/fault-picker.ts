import type { Fault, FaultMatch, FaultPlan, FaultRule, Quirk } from './fault-plan.ts';
import { drawLatencyMs } from './latency.ts';
import { drawAt } from './random.ts';
import type { Endpoint } from './vision-request.ts';

/** The parts of a request that a rule can match. */
export interface FaultSubject {
  readonly number: number;
  readonly endpoint: Endpoint;
  readonly apiKey: string | undefined;
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly imageHashes: readonly string[];
}

/** The fault of one request. */
export interface PickedFault {
  readonly fault: Exclude<Fault, { kind: 'latency' | 'quirk' }> | undefined;
  readonly quirk: Quirk | undefined;
  /** Where the fault says so, else by its kind. */
  readonly billed: boolean;
  readonly latencyMs: number;
}

/** These happen beside the first of the others. */
const BESIDE = new Set<Fault['kind']>(['latency', 'quirk']);
const NO_ANSWER = new Set<Fault['kind']>(['error', 'hang', 'status']);

/** Applies a plan to requests and keeps count of the rules that end. */
export class FaultPicker {
  readonly #rules: readonly FaultRule[];
  readonly #seed: number;
  readonly #timesLeft: number[];

  constructor({ rules, seed }: FaultPlan, defaultSeed: number) {
    this.#rules = rules;
    this.#seed = seed ?? defaultSeed;
    this.#timesLeft = rules.map(({ times }) => times ?? Number.POSITIVE_INFINITY);
  }

  pick(subject: FaultSubject): PickedFault {
    let found: Pick<PickedFault, 'fault' | 'billed'> = { fault: undefined, billed: true };
    let quirk: Quirk | undefined;
    let latencyMs = 0;
    this.#rules.forEach((rule, index) => {
      const { fault } = rule;
      if (!BESIDE.has(fault.kind) && found.fault !== undefined) return;
      if ((this.#timesLeft[index] ?? 0) <= 0 || !this.#matches(rule.when ?? {}, subject, index)) return;
      this.#timesLeft[index] = (this.#timesLeft[index] ?? 0) - 1;
      if (fault.kind === 'latency') {
        latencyMs += drawLatencyMs(fault.latency, drawSeed(this.#seed, index), subject.number);
      } else if (fault.kind === 'quirk') {
        quirk = { ...quirk, ...fault };
      } else {
        const answered = !NO_ANSWER.has(fault.kind) && !(fault.kind === 'reset' && fault.at === 'before-answer');
        found = { fault, billed: rule.billed ?? answered };
      }
    });
    return { ...found, quirk, latencyMs };
  }

  #matches(when: FaultMatch, subject: FaultSubject, rule: number): boolean {
    const { apiKey, imageHash, model, stream, probability } = when;
    if (!matchesEndpoint(when.endpoint, subject.endpoint)) return false;
    if (when.requests !== undefined && !matchesNumber(when.requests, subject.number)) return false;
    if (apiKey !== undefined && apiKey !== subject.apiKey) return false;
    if (model !== undefined && model !== subject.model) return false;
    if (stream !== undefined && stream !== subject.stream) return false;
    if (imageHash !== undefined && !matchesImage(imageHash, subject.imageHashes)) return false;
    return probability === undefined || drawAt(this.#seed, rule, drawnFor(when, subject)) < probability;
  }
}

const drawSeed = (seed: number, rule: number) => Math.trunc(drawAt(seed, rule, 7) * 2 ** 31);

function drawnFor({ drawPer }: FaultMatch, { number, imageHashes }: FaultSubject): number {
  const hash = imageHashes[0];
  return drawPer === 'image' && hash !== undefined ? Number.parseInt(hash.slice(0, 8), 16) : number;
}

function matchesEndpoint(wanted: FaultMatch['endpoint'], endpoint: Endpoint): boolean {
  return wanted === undefined ? endpoint !== 'models' : wanted === endpoint;
}

function matchesImage(wanted: string | readonly string[], hashes: readonly string[]): boolean {
  const starts = typeof wanted === 'string' ? [wanted] : wanted;
  return hashes.some((hash) => starts.some((start) => hash.startsWith(start)));
}

function matchesNumber(requests: NonNullable<FaultMatch['requests']>, number: number): boolean {
  if (typeof requests === 'number') return requests === number;
  if (isList(requests)) return requests.includes(number);
  const { from = 1, to = Number.POSITIVE_INFINITY, every = 1 } = requests;
  return number >= from && number <= to && (number - from) % every === 0;
}

const isList = (requests: NonNullable<FaultMatch['requests']>): requests is readonly number[] =>
  Array.isArray(requests);
