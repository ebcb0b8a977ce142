import type { Clock } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { canonicalJson, type ExtraBody } from '../../internal/options/extra-body.ts';
import type { ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import type { ModelCatalog } from '../models/model-catalog.ts';
import type { ModelEntry } from '../models/model-entry.ts';
import { outputCap } from '../models/output-cap.ts';
import type { ChatRequest, Exchange } from './exchange.ts';
import { type RefusableParameter, refusedParameter } from './refused-parameter.ts';

/**
 * The form of requests. `openai` is that of OpenAI's API. `generic` has `max_tokens` and no `store`, for older
 * compatible servers of chat; the Responses API has no such older form. `auto` is `openai` until a server refuses a
 * parameter by name.
 */
export type Dialect = 'auto' | 'openai' | 'generic';

/** Time after which a refused parameter is tried again: servers are upgraded. */
const TRY_AGAIN_MS = 3_600_000;
/** Time for which no other request tries the parameter. */
const TRIAL_MS = 60_000;
/** Names of models come from callers. Random names must not make the process grow. */
const MAX_MODELS = 100;

const NONE: ReadonlySet<RefusableParameter> = new Set();
const TOKENS_NAMES = ['max_completion_tokens', 'max_tokens'] as const;
const PARAMETERS: readonly RefusableParameter[] = [
  ...TOKENS_NAMES,
  'store',
  'temperature',
  'reasoning_effort',
  'detail',
  'stream_options',
];

/** How one request is written for one model. */
export interface RequestForm {
  readonly model: string;
  /** The catalog's entry of the model. */
  readonly entry: ModelEntry | undefined;
  /** Equal for forms that write a request in the same way. */
  readonly key: string;
  /** Parameters that are renamed or left out. */
  readonly without: ReadonlySet<RefusableParameter>;
  /** The parameters in `without` that the server refused to this very request. */
  readonly found: readonly RefusableParameter[];
  /** Parameters that were refused before and are tried again. */
  readonly tried: readonly RefusableParameter[];
}

export interface EndpointDialectOptions {
  readonly dialect: Dialect;
  /** The API of the endpoint. */
  readonly exchange: Exchange;
  /** Fields that are added to a request unless it sets them itself. */
  readonly extraBody: ExtraBody | undefined;
  readonly catalog: Pick<ModelCatalog, 'find'>;
  readonly clock: Clock;
}

/**
 * Writes requests as one endpoint takes them, and learns for each model which parameters it refuses. A refusal is
 * learned only after the same request was accepted without the parameter.
 */
export class EndpointDialect {
  readonly exchange: Exchange;
  readonly #options: EndpointDialectOptions;
  readonly #isOlderChat: boolean;
  /** The common part of the keys of its forms. */
  readonly #key: string;
  /** The form for the last model that refuses no parameter. */
  #plain: RequestForm | undefined;
  /** By model, the parameters that were refused and when each is tried again. */
  readonly #refused = new BoundedMap<string, Map<RefusableParameter, number>>(MAX_MODELS);

  constructor(options: EndpointDialectOptions) {
    this.#options = options;
    const { dialect, exchange, extraBody } = options;
    this.exchange = exchange;
    this.#isOlderChat = dialect === 'generic' && exchange.api === 'chat';
    this.#key = canonicalJson([exchange.api, dialect === 'generic', extraBody]);
  }

  /** The form in which a request for this model is written now. */
  formFor(model: string, request: ChatRequest): RequestForm {
    const refused = this.#refused.get(model);
    if (refused === undefined) {
      if (this.#plain?.model !== model) this.#plain = this.#formOf(model, NONE);
      return this.#plain;
    }
    const nowMs = this.#options.clock.now();
    const entry = this.#options.catalog.find(model);
    const without = new Set<RefusableParameter>();
    const tried: RefusableParameter[] = [];
    for (const [parameter, tryAtMs] of refused) {
      if (nowMs < tryAtMs || !this.#has(request, parameter, entry)) {
        without.add(parameter);
      } else {
        // This request tries the parameter on behalf of all others.
        refused.set(parameter, nowMs + TRIAL_MS);
        tried.push(parameter);
      }
    }
    return this.#formOf(model, without, [], tried);
  }

  /** The same form without the parameter that the server refuses by name; undefined when the failure names none. */
  formAfter(error: unknown, request: ChatRequest, form: RequestForm): RequestForm | undefined {
    if (this.#options.dialect === 'openai') return undefined;
    const parameter = refusedParameter(error, this.#sentParameters(request, form), this.exchange.namesOf);
    if (parameter === undefined) return undefined;
    const { model, without, found, tried } = form;
    return this.#formOf(model, new Set([...without, parameter]), [...found, parameter], tried);
  }

  /** Learns that a request of this form was answered. */
  accepted(form: RequestForm): void {
    const { model, without, found, tried } = form;
    if (found.length === 0 && tried.length === 0) return;
    const known = this.#refused.getOrCreate(model, () => new Map());
    for (const parameter of tried) if (!without.has(parameter)) known.delete(parameter);
    const tryAtMs = this.#options.clock.now() + TRY_AGAIN_MS;
    for (const parameter of found) known.set(parameter, tryAtMs);
    if (known.size === 0) this.#refused.delete(model);
  }

  /** The output limit that is sent for a request, in tokens, with headroom where the model reasons. */
  limitOf(request: ChatRequest, { entry, without }: Pick<RequestForm, 'entry' | 'without'>): number | undefined {
    const { max_completion_tokens: textTokens, reasoning_effort: effort } = request;
    if (typeof textTokens !== 'number') return undefined;
    const isSent = this.#options.dialect !== 'generic' && !without.has('reasoning_effort');
    return outputCap(textTokens, entry, effort ?? (isSent ? undefined : entry?.defaultEffort));
  }

  /** The request in this form; the same object where nothing differs. */
  write(request: ChatRequest, form: RequestForm): ChatRequest {
    const { dialect, extraBody } = this.#options;
    const { model, without, entry } = form;
    const effort = this.#lowestEffort(request, entry);
    const limit = this.limitOf(request, form);
    if (
      model === request.model &&
      limit === request.max_completion_tokens &&
      dialect !== 'generic' &&
      without.size === 0 &&
      extraBody === undefined &&
      effort === undefined
    ) {
      return request;
    }
    const { max_completion_tokens: _, store, temperature, stream_options: streaming, ...rest } = request;
    const tokensName = this.#tokensName(without);
    return {
      ...extraBody,
      ...rest,
      model,
      ...(temperature === undefined || without.has('temperature') ? {} : { temperature }),
      ...(effort === undefined || without.has('reasoning_effort') ? {} : { reasoning_effort: effort }),
      ...(limit === undefined || tokensName === undefined ? {} : { [tokensName]: limit }),
      ...(store === undefined || this.#isOlderChat || without.has('store') ? {} : { store }),
      ...(streaming == null || without.has('stream_options') ? {} : { stream_options: streaming }),
      messages: without.has('detail') ? withoutDetail(request.messages) : request.messages,
    };
  }

  #formOf(
    model: string,
    without: RequestForm['without'],
    found: RequestForm['found'] = [],
    tried: RequestForm['tried'] = [],
  ): RequestForm {
    const key = `${this.#key} ${model} ${[...without].sort().join()}`;
    return { model, entry: this.#options.catalog.find(model), key, without, found, tried };
  }

  #sentParameters(request: ChatRequest, { entry, without }: RequestForm): readonly RefusableParameter[] {
    const tokensName = this.#tokensName(without);
    const others = PARAMETERS.filter((name) => !without.has(name) && this.#has(request, name, entry));
    return others.filter((name) => !isTokens(name) || name === tokensName);
  }

  #has(request: ChatRequest, parameter: RefusableParameter, entry: ModelEntry | undefined): boolean {
    switch (parameter) {
      case 'max_completion_tokens':
      case 'max_tokens':
        return typeof request.max_completion_tokens === 'number';
      case 'store':
        return request.store !== undefined && !this.#isOlderChat;
      case 'temperature':
        return request.temperature !== undefined;
      case 'reasoning_effort':
        return this.#lowestEffort(request, entry) !== undefined;
      case 'detail':
        return true;
      case 'stream_options':
        return request.stream_options != null && this.exchange.api === 'chat';
    }
  }

  /** The name that is not refused; undefined when both are. */
  #tokensName(without: RequestForm['without']): (typeof TOKENS_NAMES)[number] | undefined {
    // The other API has one name only.
    if (this.exchange.api === 'responses') return without.has('max_completion_tokens') ? undefined : TOKENS_NAMES[0];
    const ordered = this.#isOlderChat ? [...TOKENS_NAMES].reverse() : TOKENS_NAMES;
    return ordered.find((name) => !without.has(name));
  }

  /** Reasoning is billed and counts against the output limit: a request that names no effort gets the lowest one. */
  #lowestEffort(request: ChatRequest, entry: ModelEntry | undefined): ReasoningEffort | undefined {
    if (request.reasoning_effort !== undefined || this.#options.dialect === 'generic') return undefined;
    return entry?.reasoningEfforts?.[0];
  }
}

const isTokens = (name: RefusableParameter): boolean => name === 'max_completion_tokens' || name === 'max_tokens';

const withoutDetail = (messages: ChatRequest['messages']): ChatRequest['messages'] =>
  messages.map((message) =>
    message.role === 'user' && Array.isArray(message.content)
      ? {
          ...message,
          content: message.content.map((part) =>
            part.type === 'image_url' ? { ...part, image_url: { url: part.image_url.url } } : part,
          ),
        }
      : message,
  );
