import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, type ContentFault, checkContext, checkPatches, composeAnswer, countPrompt } from './answer.ts';
import { ApiError } from './api-error.ts';
import { readChatRequest } from './chat-request.ts';
import { type DeliveryFault, deliver, jsonPayload, type Payload } from './delivery.ts';
import { errorAnswer } from './error-answer.ts';
import type { FaultPicker, PickedFault } from './fault-picker.ts';
import type { Fault } from './fault-plan.ts';
import { drawLatencyMs } from './latency.ts';
import { loadImages } from './load-images.ts';
import { modelList, modelObject } from './models-answer.ts';
import type { ResolvedOptions } from './options.ts';
import { pauseFor } from './pause.ts';
import type { QuotaGroup } from './quota-group.ts';
import type { QuotaGroups } from './quota-groups.ts';
import { renderAnswer } from './render-answer.ts';
import { parseBody, readBody } from './request-body.ts';
import type { JsonObject } from './request-fields.ts';
import { checkKey, readKey } from './request-key.ts';
import { readResponsesRequest } from './responses-request.ts';
import { checkMethod, type Route } from './route.ts';
import type { OpenRequest, SeenLog } from './seen-log.ts';
import type { SeenStats } from './seen-stats.ts';
import { type FakeModel, findModel } from './token-table.ts';
import type { SeenImage, VisionRequest } from './vision-request.ts';

/** The parts that all exchanges of a server share. */
export interface ExchangeContext {
  readonly options: ResolvedOptions;
  readonly models: Readonly<Record<string, FakeModel>>;
  readonly apiKeys: ReadonlySet<string>;
  readonly groups: QuotaGroups;
  readonly stats: SeenStats;
  readonly log: SeenLog;
  readonly picker: FaultPicker;
  /** Breaks the connection at its next request, or after that time. */
  readonly closeIdle: (response: ServerResponse, afterMs: number | undefined) => void;
}

/** Answers one request. */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #route: Route;
  readonly #seen: OpenRequest;
  readonly #headers: Record<string, string>;
  #group: QuotaGroup | undefined;
  #admitted = false;

  constructor(
    context: ExchangeContext,
    incoming: IncomingMessage,
    response: ServerResponse,
    route: Route,
    seen: OpenRequest,
  ) {
    this.#context = context;
    this.#incoming = incoming;
    this.#response = response;
    this.#route = route;
    this.#seen = seen;
    this.#headers = {
      'x-request-id': `req_${seen.endpoint}_${identityOf(seen.number)}`,
      'openai-organization': 'org-fake',
      'openai-version': '2020-10-01',
    };
    // Set by hand, because Node would add a Keep-Alive hint that the API doesn't send and clients obey.
    if (response.shouldKeepAlive) this.#headers['connection'] = 'keep-alive';
  }

  async run(): Promise<void> {
    try {
      const bytes = await readBody(this.#incoming, this.#context.options.maxBodyBytes);
      this.#seen.bodyBytes = bytes.length;
      const apiKey = checkKey(readKey(this.#incoming.headers), this.#context.apiKeys);
      checkMethod(this.#route, this.#seen.method, this.#seen.path);
      if (this.#route.endpoint === 'models') await this.#answerModels();
      else await this.#answerCall(apiKey, this.#readJson(bytes));
    } catch (error) {
      this.#answerError(error);
    }
  }

  #readJson(bytes: Buffer): JsonObject {
    const parsed = parseBody(bytes);
    const body = this.#route.model === undefined ? parsed : { model: this.#route.model, ...parsed };
    this.#seen.model = typeof body['model'] === 'string' ? body['model'] : undefined;
    this.#seen.stream = body['stream'] === true;
    if (this.#context.options.record) this.#context.log.addBody(this.#seen, parsed);
    return body;
  }

  async #answerModels(): Promise<void> {
    const picked = this.#pick([]);
    if (await this.#applyEarly(picked)) return;
    const { models } = this.#context;
    const name = this.#route.model;
    const found = name === undefined ? modelList(models) : modelObject(models, name);
    await this.#send(jsonPayload(found), picked);
  }

  async #answerCall(apiKey: string, body: JsonObject): Promise<void> {
    const { models, groups, options } = this.#context;
    const modelName = this.#seen.model ?? '';
    if (findModel(models, modelName) !== undefined) this.#group = groups.find(apiKey, modelName);
    Object.assign(this.#headers, this.#group?.ownerHeaders);
    const request = this.#route.action === 'chat' ? readChatRequest(body, models) : readResponsesRequest(body, models);
    const images = await this.#loadImages(request);
    checkPatches(request, images);
    const { promptTokens } = countPrompt(request, images);
    if (this.#route.action === 'count-tokens') {
      await this.#send(jsonPayload({ object: 'response.input_tokens', input_tokens: promptTokens }), NO_FAULT);
      return;
    }
    checkContext(request, promptTokens);
    this.#admit(request, promptTokens, images.length);
    const picked = this.#pick(this.#seen.images);
    const latencyMs =
      options.latency === undefined ? 0 : drawLatencyMs(options.latency, options.seed, this.#seen.number);
    if (await this.#applyEarly({ ...picked, latencyMs: picked.latencyMs + latencyMs })) {
      if (picked.billed) this.#bill(composeAnswer(request, images, undefined, options));
      return;
    }
    const answer = composeAnswer(request, images, contentFault(picked.fault), options);
    if (picked.billed) this.#bill(answer);
    if (this.#response.destroyed) return;
    const payload = renderAnswer(request, answer, identityOf(this.#seen.number), picked.quirk);
    await this.#send(payload, picked);
  }

  async #loadImages(request: VisionRequest): Promise<readonly SeenImage[]> {
    const images = await loadImages(request, this.#context.options);
    this.#seen.images = images.map(({ facts }) => facts.hash);
    for (const hash of this.#seen.images) this.#context.stats.imageSeen(hash);
    return images;
  }

  #admit(request: VisionRequest, promptTokens: number, images: number): void {
    const group = this.#group;
    if (group === undefined) {
      this.#admitted = true;
      return;
    }
    const tokens = Math.max(promptTokens, request.maxOutputTokens ?? 0);
    try {
      group.admit({ requests: 1, tokens, images }, request.modelName);
    } catch (error) {
      this.#context.stats.limitReached();
      this.#admitted = true;
      throw error;
    }
    this.#admitted = true;
    // A destroyed response emits no 'close'.
    if (!this.#response.destroyed) this.#response.once('close', group.enter());
    Object.assign(this.#headers, group.headers());
  }

  #pick(imageHashes: readonly string[]): PickedFault {
    const { number, endpoint, apiKey, model, stream } = this.#seen;
    const picked = this.#context.picker.pick({ number, endpoint, apiKey, model, stream, imageHashes });
    for (const happened of [picked.quirk, picked.fault]) {
      if (happened === undefined) continue;
      this.#seen.fault = happened.kind;
      this.#context.stats.faultHappened(happened.kind);
    }
    return picked;
  }

  /** Waits, and applies the faults that need no answer. Returns whether the exchange is over. */
  async #applyEarly({ fault, latencyMs }: PickedFault): Promise<boolean> {
    if (latencyMs > 0) await pauseFor(this.#response, latencyMs, this.#context.options.clock);
    switch (fault?.kind) {
      case 'hang':
        return true;
      case 'reset':
        if (fault.at !== 'before-answer') return false;
        this.#seen.outcome = 'broken';
        this.#response.socket?.resetAndDestroy();
        return true;
      case 'error': {
        if (this.#response.destroyed) return true;
        const { status, headers, payload, code } = errorAnswer(fault);
        this.#answered(status, code);
        await deliver(this.#response, payload, { status, headers: { ...this.#headers, ...headers } });
        return true;
      }
      default:
        return false;
    }
  }

  #bill({ usage }: Answer): void {
    this.#seen.billedTokens = usage.promptTokens + usage.completionTokens;
    this.#context.stats.billed(usage, this.#seen.images);
  }

  async #send(payload: Payload, { fault, quirk }: Pick<PickedFault, 'fault' | 'quirk'>): Promise<void> {
    const { streamDelayMs, clock } = this.#context.options;
    if (fault?.kind === 'reset') this.#seen.outcome = 'broken';
    if (fault?.kind === 'headers') Object.assign(this.#headers, fault.headers);
    if (fault?.kind === 'close-idle') this.#context.closeIdle(this.#response, fault.afterMs);
    this.#answered(200, undefined);
    await deliver(this.#response, payload, {
      status: 200,
      headers: this.#headers,
      fault: deliveryFault(fault),
      quirk,
      pause: streamDelayMs > 0 ? () => pauseFor(this.#response, streamDelayMs, clock) : undefined,
    });
  }

  #answerError(error: unknown): void {
    if (this.#response.headersSent) this.#response.destroy();
    if (this.#response.destroyed) return;
    const { status, body, headers } = asApiError(error);
    if (!this.#admitted) this.#group?.chargeFailed();
    this.#answered(status, body.code ?? undefined);
    const answer = { status, headers: { ...this.#headers, ...headers } };
    deliver(this.#response, jsonPayload({ error: body }), answer).catch(() => this.#response.destroy());
  }

  #answered(status: number, code: string | undefined): void {
    const { clock } = this.#context.options;
    this.#headers['openai-processing-ms'] = String(Math.round(clock.now() - this.#seen.receivedAtMs));
    this.#seen.status = status;
    this.#seen.code = code;
    this.#context.stats.answered(status);
  }
}

/** Any other error is a bug of this server, and is shown. */
const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(500, {
        message: `The fake server failed: ${String(error)}`,
        type: 'server_error',
        param: null,
        code: null,
      });

const identityOf = (number: number) => number.toString(16).padStart(12, '0');

const NO_FAULT = { fault: undefined, quirk: undefined };

const CONTENT: ReadonlySet<Fault['kind']> = new Set([
  'refusal',
  'finish',
  'items',
  'truncate',
  'wrong-json',
  'reasoning',
  'status',
]);
const DELIVERY: ReadonlySet<Fault['kind']> = new Set(['stall', 'reset', 'stream-error', 'truncate', 'wrong-json']);

const contentFault = (fault: Fault | undefined) =>
  fault !== undefined && CONTENT.has(fault.kind) ? (fault as ContentFault) : undefined;
const deliveryFault = (fault: Fault | undefined) =>
  fault !== undefined && DELIVERY.has(fault.kind) ? (fault as DeliveryFault) : undefined;
