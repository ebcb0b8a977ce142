import type { Clock } from '../../internal/clock.ts';
import type { FakeOpenAIStats } from '../fake-openai/seen-stats.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';
import type { CountedRequests } from './load-tally.ts';
import type { LoadRedis, LoadServer } from './load-target.ts';
import { Neighbour } from './neighbour.ts';

const NONE: CountedRequests = { sent: 0, billed: 0, refused: 0 };

/** Changes that a scenario makes to the servers, and what the fake one counts meanwhile. */
export class ServerControl {
  readonly #scenario: LoadScenario;
  readonly #server: LoadServer | undefined;
  readonly #redis: LoadRedis | undefined;
  readonly #clock: Clock;
  #neighbour: Neighbour | undefined;
  #last: CountedRequests | undefined;
  #counted = NONE;
  #isStopped = false;
  #redisState: LoadPhase['redis'];

  constructor(scenario: LoadScenario, server: LoadServer | undefined, redis: LoadRedis | undefined, clock: Clock) {
    this.#scenario = scenario;
    this.#server = server;
    this.#redis = redis;
    this.#clock = clock;
  }

  /** Starts the counts anew. */
  async begin(): Promise<void> {
    await this.#server?.reset();
    this.#last = await this.#read();
  }

  /** Sets the server up for a phase. Faults hold for their phase only. */
  async enter({ faults, limits, server, redis, neighbourPerMinute }: LoadPhase): Promise<void> {
    if (this.#hasFaults) await this.#server?.setFaults(faults ?? []);
    if (limits !== undefined) await this.#server?.setLimits(limits);
    if (server !== undefined) await this.#setServer(server === 'stop');
    if (redis !== undefined) await this.#setRedis(redis);
    if (this.#server !== undefined && neighbourPerMinute !== undefined) {
      this.#neighbour = new Neighbour(this.#server, neighbourPerMinute, this.#clock);
    }
  }

  /** Requests of the load since the start or the last lap; `undefined` without a fake server. */
  async lap(isCounted: boolean): Promise<CountedRequests | undefined> {
    const others = await this.#stopNeighbour();
    const now = await this.#read();
    const before = this.#last;
    if (now === undefined || before === undefined) return undefined;
    this.#last = now;
    const lap = combined(combined(now, before, -1), others, -1);
    if (isCounted) this.#counted = { ...combined(this.#counted, lap, 1), ...mostOf(now) };
    return lap;
  }

  /** Requests of all laps that counted. */
  total(): CountedRequests | undefined {
    return this.#last === undefined ? undefined : this.#counted;
  }

  /** Ends faults and outages, so that the servers can be used further. */
  async restore(): Promise<void> {
    await this.#stopNeighbour();
    if (this.#hasFaults) await this.#server?.setFaults([]);
    if (this.#isStopped) await this.#setServer(false);
    if (this.#redisState === 'pause') await this.#setRedis('resume');
    if (this.#redisState === 'kill') await this.#setRedis('restart');
  }

  async #stopNeighbour(): Promise<CountedRequests> {
    const neighbour = this.#neighbour;
    this.#neighbour = undefined;
    return (await neighbour?.stop()) ?? NONE;
  }

  async #read(): Promise<CountedRequests | undefined> {
    const stats = await this.#server?.getStats();
    if (stats === undefined) return undefined;
    const { requestsBilled, rateLimited, connections } = stats;
    return {
      sent: callsOf(stats),
      billed: requestsBilled,
      refused: rateLimited,
      mostConnections: connections.mostOpen,
    };
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

const combined = (left: CountedRequests, right: CountedRequests, sign: 1 | -1): CountedRequests => ({
  sent: left.sent + sign * right.sent,
  billed: left.billed + sign * right.billed,
  refused: left.refused + sign * right.refused,
});

const mostOf = ({ mostConnections }: CountedRequests) => (mostConnections === undefined ? {} : { mostConnections });
