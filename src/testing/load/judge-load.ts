import type { LoadFigures } from './load-figures.ts';
import type { LoadThresholds, LoadVerdict, ThresholdName } from './load-thresholds.ts';

/** The figure that each threshold is about; `undefined` where nothing measured it. */
const FIGURE: Readonly<Record<ThresholdName, (figures: LoadFigures) => number | undefined>> = {
  maxResponseTime: ({ slowestMs }) => slowestMs,
  maxMemoryUsage: ({ memory }) => memory?.heapAndBuffersBytes,
  minThroughput: ({ throughput }) => throughput,
  maxErrorRate: ({ errorRate }) => errorRate,
  maxMedianMs: ({ latencyMs }) => latencyMs?.p50,
  maxP95Ms: ({ latencyMs }) => latencyMs?.p95,
  maxP99Ms: ({ latencyMs }) => latencyMs?.p99,
  maxFirstDeltaP95Ms: ({ firstDeltaMs }) => firstDeltaMs?.p95,
  maxRequestsPerCall: ({ requests }) => requests.perCall,
  maxRefusedRatio: ({ requests }) => requests.refusedRatio,
  minHitRatio: ({ hitRatio }) => hitRatio,
  maxWrongAnswers: ({ wrongAnswers }) => wrongAnswers,
  maxConnections: ({ requests }) => requests.mostConnections,
};

/** Judges figures by every given threshold. */
export function judge(figures: LoadFigures, thresholds: LoadThresholds, phase?: string): readonly LoadVerdict[] {
  const given = Object.entries(thresholds).filter((entry): entry is [ThresholdName, number] => entry[1] !== undefined);
  return given.map(([threshold, limit]) => {
    const value = FIGURE[threshold](figures);
    const isMet = value !== undefined && (threshold.startsWith('min') ? value >= limit : value <= limit);
    return {
      ...(phase === undefined ? {} : { phase }),
      threshold,
      limit,
      ...(value === undefined ? {} : { value }),
      status: value === undefined ? 'not measured' : isMet ? 'met' : 'missed',
    };
  });
}
