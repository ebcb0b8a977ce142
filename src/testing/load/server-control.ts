import type { FakeOpenAIStats } from '../fake-openai/seen-stats.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';
import type { CountedRequests } from './load-tally.ts';
import type { LoadRedis, LoadServer } from './load-target.ts';

/** What a scenario does to the servers, and what the fake one counts meanwhile. */
export class ServerControl {
  readonly #scenario: LoadScenario;
  readonly #server: LoadServer | undefined;
  readonly #redis: LoadRedis | undefined;
  #last: CountedRequests | undefined;
  #isStopped = false;
  #redisState: LoadPhase['redis'];

  constructor(scenario: LoadScenario, server: LoadServer | undefined, redis: LoadRedis | undefined) {
    this.#scenario = scenario;
    this.#server = server;
    this.#redis = redis;
  }

  /** Starts the counts anew. */
  async begin(): Promise<void> {
    await this.#server?.reset();
    this.#last = await this.total();
  }

  /** Sets the server up for a phase. Faults hold for their phase only. */
  async enter({ faults, limits, server, redis }: LoadPhase): Promise<void> {
    if (this.#hasFaults) await this.#server?.setFaults(faults ?? []);
    if (limits !== undefined) await this.#server?.setLimits(limits);
    if (server !== undefined) await this.#setServer(server === 'stop');
    if (redis !== undefined) await this.#setRedis(redis);
  }

  /** Requests since the start or the last lap; `undefined` without a fake server. */
  async lap(): Promise<CountedRequests | undefined> {
    const now = await this.total();
    const before = this.#last;
    if (now === undefined || before === undefined) return undefined;
    this.#last = now;
    return {
      sent: now.sent - before.sent,
      billed: now.billed - before.billed,
      refused: now.refused - before.refused,
    };
  }

  /** All requests since the start. */
  async total(): Promise<CountedRequests | undefined> {
    const now = await this.#server?.getStats();
    if (now === undefined) return undefined;
    const { requestsBilled, rateLimited, connections } = now;
    return { sent: callsOf(now), billed: requestsBilled, refused: rateLimited, mostConnections: connections.mostOpen };
  }

  /** Ends faults and outages, so that the servers can be used further. */
  async restore(): Promise<void> {
    if (this.#hasFaults) await this.#server?.setFaults([]);
    if (this.#isStopped) await this.#setServer(false);
    if (this.#redisState === 'pause') await this.#setRedis('resume');
    if (this.#redisState === 'kill') await this.#setRedis('restart');
  }

  get #hasFaults(): boolean {
    return this.#scenario.phases.some(({ faults }) => faults !== undefined);
  }

  async #setServer(isStopped: boolean): Promise<void> {
    this.#isStopped = isStopped;
    await (isStopped ? this.#server?.stop() : this.#server?.start());
  }

  async #setRedis(action: NonNullable<LoadPhase['redis']>): Promise<void> {
    this.#redisState = action;
    await this.#redis?.[action]();
  }
}

/** Requests of calls, without those of health checks. */
const callsOf = ({ requestsByEndpoint: { chat, responses } }: FakeOpenAIStats): number => chat + responses;
