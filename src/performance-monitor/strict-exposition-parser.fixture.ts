/** One family of a Prometheus text, as a strict reader sees it. Tests only. */
export interface ParsedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface OpenFamily extends ParsedFamily {
  readonly samples: ParsedSample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/**
 * Parses Prometheus text 0.0.4 and throws at everything that `promtool check metrics` rejects or complains about. That
 * is: syntax, doubled series and families, missing HELP or TYPE, and histograms that don't add up. Names are checked,
 * too: counters without `_total`, others with it, and units that are not base units.
 */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, OpenFamily>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  let current: string | undefined;
  for (const line of text.split('\n')) {
    const [, directive, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (line === '') continue;
    if (directive === 'HELP') {
      if (helps.has(name)) throw new Error(`second HELP of ${name}`);
      helps.set(name, rest);
    } else if (directive === 'TYPE') {
      if (families.has(name)) throw new Error(`second TYPE of ${name}`);
      const help = helps.get(name);
      if (help === undefined) throw new Error(`${name} has no HELP`);
      families.set(name, { help, type: rest, samples: [] });
      current = name;
    } else {
      const sample = parseSample(line);
      const family = families.get(current ?? '');
      if (current === undefined || family === undefined || !belongs(sample.name, current, family.type)) {
        throw new Error(`${sample.name} belongs to no family`);
      }
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(key)) throw new Error(`doubled series ${key}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) lint(name, family);
  return families;
}

function parseSample(line: string): ParsedSample {
  const [, name, labelText = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labelText.length) {
    const at = LABEL.lastIndex;
    const [, label, value] = LABEL.exec(labelText) ?? [];
    if (label === undefined || value === undefined) throw new Error(`not a label: ${labelText.slice(at)}`);
    if (Object.hasOwn(labels, label)) throw new Error(`doubled label ${label}`);
    labels[label] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return { name, labels, value: parseNumber(number) };
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`not a number: ${text}`);
  return Number(text);
}

const belongs = (sample: string, family: string, type: string): boolean =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].some((suffix) => sample === family + suffix) : sample === family;

function lint(name: string, family: ParsedFamily): void {
  if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(family.type)) {
    throw new Error(`${name}: unknown type ${family.type}`);
  }
  if ((family.type === 'counter') !== name.endsWith('_total')) throw new Error(`${name}: _total is for counters`);
  if (/_(ms|milliseconds?|minutes|hours|kilobytes|megabytes)(_|$)/.test(name)) {
    throw new Error(`${name}: not a base unit`);
  }
  if (family.type === 'counter' && family.samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name}: a counter below 0`);
  }
  for (const { labels } of family.samples) {
    if (family.type !== 'histogram' && 'le' in labels) throw new Error(`${name}: le is for histograms`);
    if (family.type !== 'summary' && 'quantile' in labels) throw new Error(`${name}: quantile is for summaries`);
  }
  if (family.type === 'histogram') lintHistogram(name, family.samples);
}

function lintHistogram(name: string, samples: readonly ParsedSample[]): void {
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => parseNumber(labels['le'] ?? ''));
    const ascending = (values: readonly number[], strictly: boolean) =>
      values.every((value, index) => {
        const before = values[index - 1] ?? Number.NEGATIVE_INFINITY;
        return strictly ? value > before : value >= before;
      });
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const right =
      ascending(bounds, true) &&
      ascending(
        buckets.map(({ value }) => value),
        false,
      ) &&
      bounds.at(-1) === Number.POSITIVE_INFINITY &&
      buckets.at(-1)?.value === count &&
      group.some((sample) => sample.name === `${name}_sum`);
    if (!right) throw new Error(`${name}${key}: the buckets don't add up`);
  }
}
