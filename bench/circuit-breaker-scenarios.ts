/*
 * Three breakers in the situations in which they differ, on a clock that is moved by hand.
 * `node bench/circuit-breaker-scenarios.ts` prints the table. With --write it replaces the one in
 * docs/guide/circuit-breaker.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { mock } from 'node:test';
import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import Opossum from 'opossum';
import { CircuitBreaker } from '../src/circuit-breaker/index.ts';
import { ManualClock } from '../src/testing/manual-clock.ts';

type Action = () => Promise<unknown>;
type State = 'closed' | 'open' | 'half-open';

/**
 * One breaker under test: 30 s timeout, 10 s window, 50 % of at least 10 calls, 20 s break. For each, a 429 is no
 * failure.
 */
interface Subject {
  fire(action: Action): Promise<unknown>;
  state(): State;
  end?(): void;
}

const TIMEOUT_MS = 30_000;
const WINDOW_MS = 10_000;
const BREAK_MS = 20_000;
const isThrottle = (error: unknown) => (error as { readonly status?: number }).status === 429;

mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
const clock = new ManualClock({
  fakeTimers: { advanceTimersByTimeAsync: async (ms) => mock.timers.tick(ms) },
});

const subjects: Readonly<Record<string, () => Subject>> = {
  opossum: () => {
    const circuit = new Opossum((action: Action) => action(), {
      timeout: TIMEOUT_MS,
      rollingCountTimeout: WINDOW_MS,
      errorThresholdPercentage: 50,
      volumeThreshold: 10,
      resetTimeout: BREAK_MS,
      errorFilter: isThrottle,
    });
    return {
      fire: (action) => circuit.fire(action),
      state: () => (circuit.opened ? 'open' : circuit.halfOpen ? 'half-open' : 'closed'),
      end: () => circuit.shutdown(),
    };
  },
  'cockatiel, sampling': () => cockatiel(new SamplingBreaker({ threshold: 0.5, duration: WINDOW_MS, minimumRps: 1 })),
  'cockatiel, consecutive': () => cockatiel(new ConsecutiveBreaker(5)),
  '@describe-it/sdk': () => {
    const breaker = new CircuitBreaker('subject', (action: Action) => action(), {
      timeoutMs: TIMEOUT_MS,
      windowMs: WINDOW_MS,
      resetTimeoutMs: BREAK_MS,
      isFailure: (error) => !isThrottle(error),
      clock,
    });
    return {
      fire: (action) => breaker.fire(action),
      state: () => breaker.state.toLowerCase().replace('_', '-') as State,
      end: () => breaker.shutdown(),
    };
  },
};

function cockatiel(breaker: SamplingBreaker | ConsecutiveBreaker): Subject {
  const policy = circuitBreaker(
    handleWhen((error) => !isThrottle(error)),
    { halfOpenAfter: BREAK_MS, breaker },
  );
  const timed = wrap(policy, timeout(TIMEOUT_MS, TimeoutStrategy.Aggressive));
  const states: Partial<Record<CircuitState, State>> = {
    [CircuitState.Open]: 'open',
    [CircuitState.HalfOpen]: 'half-open',
  };
  return { fire: (action) => timed.execute(action), state: () => states[policy.state] ?? 'closed' };
}

const down: Action = () => Promise.reject(new Error('down'));
const throttled: Action = () => Promise.reject(Object.assign(new Error('429'), { status: 429 }));
const aborted: Action = () => Promise.reject(new DOMException('aborted', 'AbortError'));
const works: Action = () => Promise.resolve('fine');
const hangs: Action = () => new Promise(() => {});

/** Starts a call without waiting, and reports later whether it has ended. */
function start(subject: Subject, action: Action): { ended: boolean; made: boolean } {
  const call = { ended: false, made: false };
  const done = () => {
    call.ended = true;
  };
  subject
    .fire(() => {
      call.made = true;
      return action();
    })
    .then(done, done);
  return call;
}

async function openUp(subject: Subject): Promise<void> {
  for (let index = 0; index < 20; index += 1) start(subject, down);
  await clock.flush();
}

/** Calls every `everyMs` until `forMs`. Returns when the breaker opened and how many calls had been made. */
async function untilOpen(subject: Subject, action: Action, everyMs: number, forMs: number): Promise<string> {
  let made = 0;
  for (let passedMs = 0; passedMs < forMs; passedMs += everyMs) {
    if (start(subject, action).made) made += 1;
    await clock.flush();
    if (subject.state() === 'open') return `opens after ${made} calls`;
    await clock.advance(everyMs);
    if (subject.state() === 'open') return `opens after ${made} calls, ${(passedMs + everyMs) / 1_000} s`;
  }
  return `never opens: ${made} calls made`;
}

const scenarios: Readonly<Record<string, (subject: Subject) => Promise<string>>> = {
  'every call times out after 30 s under a 10 s window, 1 call a second, 10 minutes': (subject) =>
    untilOpen(subject, hangs, 1_000, 600_000),
  'every call times out after 30 s, 1 call in 20 s, an hour': (subject) => untilOpen(subject, hangs, 20_000, 3_600_000),
  'every call fails, 1 call a minute, 2 hours': (subject) => untilOpen(subject, down, 60_000, 7_200_000),
  'every call fails, 1 call an hour, a day': (subject) => untilOpen(subject, down, 3_600_000, 86_400_000),
  'burst of 1,000 calls, all fail': async (subject) => {
    for (let index = 0; index < 1_000; index += 1) start(subject, down);
    await clock.flush();
    const next = start(subject, works);
    return next.made ? 'lets the next call through' : 'opens, the next call is turned away';
  },
  'burst of 1,000 calls, every tenth fails': async (subject) => {
    for (let index = 0; index < 1_000; index += 1) start(subject, index % 10 === 0 ? down : works);
    await clock.flush();
    return `stays ${subject.state()}`.replace('stays open', 'opens');
  },
  'callers abort 1,000 calls, nothing else': (subject) => untilOpen(subject, aborted, 10, 10_000),
  '429 to 1,000 calls, nothing else': (subject) => untilOpen(subject, throttled, 10, 10_000),
  'the probe after a break is answered with 429': async (subject) => {
    await openUp(subject);
    await clock.advance(BREAK_MS + 1);
    start(subject, throttled);
    await clock.flush();
    const state = subject.state();
    return state === 'half-open' ? 'half-open, waits for a probe that tells something' : `is ${state}`;
  },
  'a success that began before the break ends after it': async (subject) => {
    let finish: (value: string) => void = () => {};
    start(
      subject,
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    await openUp(subject);
    await clock.advance(BREAK_MS + 1);
    finish('old news');
    await clock.flush();
    return subject.state() === 'closed' ? 'closes by old news' : 'is not moved by it';
  },
};

async function table(): Promise<string> {
  const names = Object.keys(subjects);
  const rows: string[] = [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`];
  for (const [situation, run] of Object.entries(scenarios)) {
    const cells: string[] = [];
    for (const make of Object.values(subjects)) {
      const subject = make();
      cells.push(await run(subject));
      subject.end?.();
    }
    rows.push(`| ${situation} | ${cells.join(' | ')} |`);
  }
  return rows.join('\n');
}

const made = await table();
console.log(made);
if (process.argv.includes('--write')) {
  const page = new URL('../docs/guide/circuit-breaker.md', import.meta.url);
  const text = await readFile(page, 'utf8');
  const marked = /(<!-- scenarios -->\n)[\s\S]*?(\n<!-- \/scenarios -->)/;
  if (!marked.test(text)) throw new Error('the page has no place for the table');
  await writeFile(
    page,
    text.replace(marked, (_all, start, end) => `${start}${made}${end}`),
  );
}
mock.timers.reset();
