/** Share of a limit below which little is left of it. */
export const LOW_RATIO = 0.05;

/** How close one limit is to being used up, of requests or of tokens, as far as is known now. */
export interface LimitPressure {
  /** Units a minute that may be used; undefined where no limit is known. */
  readonly perMinute: number | undefined;
  /** Share of the limit that is used up, from 0 to 1; 0 where no answer of ten minutes named it. */
  readonly usedRatio: number;
  /** Whether less than a twentieth of the limit is left; true where none has told. */
  readonly isLow: boolean;
  /** Whether the API refused a request within the last minute. */
  readonly isThrottled: boolean;
}

export interface QuotaPressure {
  readonly requests: LimitPressure;
  readonly tokens: LimitPressure;
}

/** The pressure on several quotas that share the calls of a model. */
export const jointPressure = (quotas: readonly QuotaPressure[]): QuotaPressure => ({
  requests: jointLimit(quotas.map(({ requests }) => requests)),
  tokens: jointLimit(quotas.map(({ tokens }) => tokens)),
});

function jointLimit(limits: readonly LimitPressure[]): LimitPressure {
  let perMinute = 0;
  let used = 0;
  for (const { perMinute: rate = 0, usedRatio } of limits) {
    perMinute += rate;
    used += rate * usedRatio;
  }
  const known = limits.filter((limit) => limit.perMinute !== undefined);
  return {
    perMinute: perMinute === 0 ? undefined : perMinute,
    usedRatio: perMinute === 0 ? 0 : used / perMinute,
    isLow: known.every(({ isLow }) => isLow),
    isThrottled: limits.some(({ isThrottled }) => isThrottled),
  };
}
