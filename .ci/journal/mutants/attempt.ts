import type { Mutant } from './mutant.ts';

/** Faults of attempts: routing, quota, retry, breaker. */
export const ATTEMPT_MUTANTS: readonly Mutant[] = [
  {
    id: 'bucket-refills-twice-as-fast',
    fault: 'A token bucket refills at twice its rate.',
    folders: ['routing'],
    plantings: [
      {
        find: 'this.#level + elapsedMs * this.#refillPerMs',
        replace: 'this.#level + 2 * elapsedMs * this.#refillPerMs',
      },
    ],
  },
  {
    id: 'bucket-takes-half',
    fault: 'A request takes half of its cost out of the bucket.',
    folders: ['routing'],
    plantings: [
      { find: 'this.#level = this.levelAt(nowMs) - cost;', replace: 'this.#level = this.levelAt(nowMs) - cost / 2;' },
    ],
  },
  {
    id: 'pause-brought-forward',
    fault: 'A later refusal ends a longer pause early.',
    folders: ['routing'],
    plantings: [
      {
        find: 'this.#untilMs = Math.max(this.#untilMs, Math.min(untilMs, nowMs + PROBE_MS));',
        replace: 'this.#untilMs = Math.min(untilMs, nowMs + PROBE_MS);',
      },
    ],
  },
  {
    id: 'unsent-not-refunded',
    fault: 'An attempt that was never sent keeps what it reserved of the quota.',
    folders: ['routing'],
    plantings: [
      { find: 'permit.refund(nowMs);', replace: 'permit.failed(nowMs);' },
      { find: /(permit|reservation)\.refund\(\);/, replace: '$1.failed();' },
    ],
  },
  {
    id: 'failed-endpoint-first-again',
    fault: 'A retry does not prefer endpoints that have not failed the call.',
    folders: ['routing'],
    plantings: [
      {
        find: 'if (job.avoid !== undefined && job.avoid.size > 0) this.#preferOthers(job.avoid);',
        replace: '',
      },
    ],
  },
  {
    id: 'all-endpoints-ejected',
    fault: 'More than half of the endpoints may be ejected at once.',
    folders: ['routing'],
    plantings: [{ find: 'const mayEject = ejected + 1 <= routes.length / 2;', replace: 'const mayEject = true;' }],
  },
  {
    id: 'success-keeps-outages',
    fault: 'A success does not end the run of outages that ejects an endpoint.',
    folders: ['routing'],
    plantings: [
      {
        find: 'this.#consecutive = 0; if (startedAtMs >= this.#ejectedUntilMs)',
        replace: 'if (startedAtMs >= this.#ejectedUntilMs)',
      },
    ],
  },
  {
    id: 'late-calls-wait',
    fault: 'A call that can not make its deadline waits instead of being refused at once.',
    folders: ['routing'],
    plantings: [
      {
        find: 'if (call.job.deadlineAtMs < untilMs) return this.#late(call, waitMs, nowMs);',
        replace: '',
      },
      { find: 'if (call.job.deadlineAtMs < untilMs) {', replace: 'if (call.job.deadlineAtMs < nowMs) {' },
    ],
  },
  {
    id: 'burst-at-unknown-limits',
    fault: 'Before the first answer as many calls are sent as connections allow.',
    folders: ['routing'],
    plantings: [
      { find: /const capped = known \? limit : Math\.min\(limit, [^;]*\);/, replace: 'const capped = limit;' },
    ],
  },
  {
    id: 'slot-never-freed',
    fault: 'An attempt that has ended keeps its slot of the endpoint.',
    folders: ['routing'],
    plantings: [{ find: /(this\.)?route\.endpoint\.inFlight -= 1;/, replace: '' }],
  },
  {
    id: 'failed-endpoint-not-remembered',
    fault: 'The endpoint that failed a call is not remembered for its retry.',
    folders: ['describe-client'],
    plantings: [{ find: /avoid\.add\((leg|place)\.endpoint\);/, replace: '' }],
  },
  {
    id: 'attempt-timeout-late',
    fault: 'An attempt is cut off after ten times its limit.',
    folders: ['describe-client'],
    plantings: [
      {
        find: 'new SilenceTimer(clock, attemptTimeoutMs,',
        replace: 'new SilenceTimer(clock, 10 * attemptTimeoutMs,',
      },
      {
        find: 'this.#timer = this.#clock.setTimeout(this.#expire, delayMs);',
        replace: 'this.#timer = this.#clock.setTimeout(this.#expire, 10 * delayMs);',
      },
      {
        find: "new TimeoutError('an attempt', attemptTimeoutMs)), attemptTimeoutMs)",
        replace: "new TimeoutError('an attempt', attemptTimeoutMs)), 10 * attemptTimeoutMs)",
      },
      {
        find: 'timer = clock.setTimeout(expire, attemptTimeoutMs);',
        replace: 'timer = clock.setTimeout(expire, 10 * attemptTimeoutMs);',
      },
    ],
  },
  {
    id: 'retry-past-deadline',
    fault: 'A retry is begun that can not end before the deadline.',
    folders: ['retry'],
    plantings: [
      { find: "if (!this.#hasTime(nowMs, delayMs, options)) return { giveUp: 'deadline' };", replace: '' },
      { find: "if (beginsAtMs + neededMs >= deadlineAtMs) return { giveUp: 'deadline' };", replace: '' },
    ],
  },
  {
    id: 'retry-budget-unlimited',
    fault: 'The retry budget never refuses a retry.',
    folders: ['retry'],
    plantings: [{ find: 'if (this.#available() < 1) {', replace: 'if (this.#available() < -1000) {' }],
  },
  {
    id: 'retry-after-ignored',
    fault: 'A retry does not wait for as long as the server asked.',
    folders: ['retry'],
    plantings: [
      { find: 'return Math.max(backoffMs, retryAfterMs * (1 + random() * 0.1));', replace: 'return backoffMs;' },
    ],
  },
  {
    id: 'exhausted-quota-as-throttle',
    fault: 'An account without credit is taken for one that goes too fast, and asked again.',
    folders: ['errors', 'routing'],
    plantings: [
      {
        find: "DESCRIBE_QUOTA_EXHAUSTED: [{ kind: 'quota' }]",
        replace: "DESCRIBE_QUOTA_EXHAUSTED: [{ kind: 'throttle' }]",
      },
    ],
  },
  {
    id: 'breaker-opens-late',
    fault: 'A breaker opens after one failure more than its threshold.',
    folders: ['circuit-breaker'],
    plantings: [
      {
        find: 'this.#failuresInRow >= this.#bounds.failureThreshold',
        replace: 'this.#failuresInRow > this.#bounds.failureThreshold',
      },
      {
        find: 'this.#run.recordFailure(nowMs) >= this.#bounds.failureThreshold',
        replace: 'this.#run.recordFailure(nowMs) > this.#bounds.failureThreshold',
      },
    ],
  },
  {
    id: 'half-open-lets-all-through',
    fault: 'A half-open breaker lets any number of probes through.',
    folders: ['circuit-breaker'],
    plantings: [
      {
        find: 'if (this.running + this.succeeded + this.failed >= this.#maxCalls) return false;',
        replace: '',
      },
      {
        find: 'if (this.#running + this.#succeeded + this.#failed >= this.#maxCalls) return false;',
        replace: '',
      },
    ],
  },
  {
    id: 'asked-break-ignored',
    fault: 'A breaker opens for its own time although the error asked for another.',
    folders: ['circuit-breaker'],
    plantings: [
      {
        find: 'if (askedMs !== undefined && Number.isFinite(askedMs) && askedMs > 0) {',
        replace: 'if (askedMs !== undefined && askedMs < 0) {',
      },
    ],
  },
  {
    id: 'success-keeps-failure-run',
    fault: 'A success does not end a run of consecutive failures of the breaker.',
    folders: ['circuit-breaker'],
    plantings: [
      { find: 'if (!failed) { this.#failuresInRow = 0;', replace: 'if (!failed) {' },
      {
        find: 'recordSuccess(nowMs: number): void { this.#failuresInRow = 0;',
        replace: 'recordSuccess(nowMs: number): void {',
      },
      { find: 'end(): void { this.#length = 0; }', replace: 'end(): void {}' },
    ],
  },
];
