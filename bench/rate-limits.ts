// The used share of a rate limit, and the number of refused requests. It compares our client with the default `openai`
// client, which has p-limit and its own retries. Every run has a fake server in a process of its own. It runs in real
// time, for minutes, by hand.
//   node bench/rate-limits.ts [--only name,name] [--seconds 60] [--contender ours|theirs] [--concurrency 32]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type FakeOpenAIProcess, startFakeOpenAIProcess, startRedisServer } from '../src/testing/index.ts';
import { type LoadTask, type Tally, tallyOf } from './rate-limits-load.ts';
import { SCENARIOS, type Scenario } from './rate-limits-scenarios.ts';

const CONTENDERS = ['ours', 'theirs'] as const;
type Contender = (typeof CONTENDERS)[number];

/** Seconds after the start from which goodput counts. */
const SETTLED_SECONDS = 10;

interface Outcome {
  readonly scenario: string;
  readonly contender: Contender;
  readonly allowed: number;
  readonly done: number;
  readonly failed: number;
  readonly requests: number;
  readonly refused: number;
}

/** Starts one load process. Resolves when it begins to send, with the outcome that it has when its time is up. */
async function load(task: LoadTask): Promise<{ readonly tally: Promise<Tally> }> {
  const child = fork(new URL('./rate-limits-load.ts', import.meta.url), [JSON.stringify(task)]);
  await once(child, 'message');
  const ended = async () => {
    const [tally] = (await once(child, 'message')) as [Tally];
    if (child.exitCode === null) await once(child, 'exit');
    return tally;
  };
  return { tally: ended() };
}

/** The other tenant of a limit: sends at a steady pace whatever comes back. */
async function disturb(server: FakeOpenAIProcess, perMinute: number, untilMs: number): Promise<number> {
  let taken = 0;
  const body = JSON.stringify({
    model: 'gpt-4.1-mini',
    max_completion_tokens: 300,
    messages: [{ role: 'user', content: 'a tenant of the same project' }],
  });
  const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' };
  const sent: Promise<void>[] = [];
  for (let next = performance.now(); next < untilMs; next += 60_000 / perMinute) {
    await pause(Math.max(0, next - performance.now()));
    const arrivedMs = performance.now();
    const settledMs = untilMs - seconds * 1000 + SETTLED_SECONDS * 1000;
    sent.push(
      fetch(`${server.baseURL}/chat/completions`, { method: 'POST', headers, body }).then(async (answer) => {
        await answer.arrayBuffer();
        if (answer.status === 200 && arrivedMs >= settledMs) taken += 1;
      }),
    );
  }
  await Promise.all(sent);
  return taken;
}

async function run(scenario: Scenario, contender: Contender): Promise<Outcome> {
  const { name, apiKeys = ['sk-a'], limits, processes = 1, latency, tenantPerMinute = 0 } = scenario;
  const server = await startFakeOpenAIProcess({ record: false, apiKeys, latency, quotaGroups: limits(0) });
  const redis = processes > 1 ? await startRedisServer() : undefined;
  const task: LoadTask = {
    contender,
    baseURL: server.baseURL,
    apiKeys,
    seconds,
    settledSeconds: SETTLED_SECONDS,
    concurrency: Math.ceil(concurrency / processes),
    redisUrl: redis?.url,
    seed: 0,
  };
  const loads = await Promise.all(
    Array.from({ length: processes }, (_, index) => load({ ...task, seed: index * 1_000_000 })),
  );
  // The limits change by the time of the load: on a busy machine its process takes seconds to start.
  const startedAtMs = performance.now();
  const changes = (scenario.changesAtRatio ?? []).map(async (ratio) => {
    await pause(ratio * seconds * 1000);
    await server.setLimits(limits(ratio));
  });
  const tenant =
    tenantPerMinute === 0 ? Promise.resolve(0) : disturb(server, tenantPerMinute, startedAtMs + seconds * 1000);
  const tallies = await Promise.all(loads.map(({ tally }) => tally));
  await Promise.all(changes);
  const taken = await tenant;
  const { done, failed } = tallyOf(tallies);
  const { requests, rateLimited } = await server.getStats();
  await server.close();
  await redis?.stop();
  const window = seconds - SETTLED_SECONDS;
  const allowed = scenario.allowedPerSecond(SETTLED_SECONDS / seconds) * window - taken;
  return { scenario: name, contender, allowed, done, failed, requests, refused: rateLimited };
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    contender: { type: 'string' },
    concurrency: { type: 'string', default: '32' },
  },
});
const seconds = Number(values.seconds);
const concurrency = Number(values.concurrency);
const names = values.only?.split(',');
const chosen = SCENARIOS.filter(({ name }) => names?.includes(name) ?? true);

for (const scenario of chosen) {
  for (const contender of CONTENDERS) {
    if (values.contender !== undefined && values.contender !== contender) continue;
    const { allowed, done, failed, requests, refused } = await run(scenario, contender);
    const goodput = ((100 * done) / allowed).toFixed(1);
    const share = ((100 * refused) / requests).toFixed(2);
    console.log(
      `${scenario.name.padEnd(16)} ${contender.padEnd(6)} goodput ${goodput.padStart(6)} % (${done} of ${Math.round(allowed)})   429s ${share.padStart(6)} % (${refused} of ${requests})   ${failed} calls failed`,
    );
  }
}
