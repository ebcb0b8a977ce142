import { InputError } from '../../errors/input-error.ts';
import { describeKind } from '../../internal/options/option-checks.ts';
import {
  checkLabelCount,
  checkLabelNames,
  labelText,
  MAX_LABELS,
  type MetricLabels,
  OVERFLOW_VALUE,
  tooManyLabels,
} from './metric-labels.ts';

interface Branch<Series> {
  readonly children: Map<string, Branch<Series>>;
  series: Series | undefined;
}

const newBranch = <Series>(): Branch<Series> => ({ children: new Map(), series: undefined });

export interface SeriesIndexOptions<Series> {
  readonly metric: string;
  /** Labels that every series has anyway; no other label may have one of their names. */
  readonly ownLabels: Readonly<Record<string, string>>;
  readonly maxSeries: number;
  create(labels: Readonly<Record<string, string>>): Series;
  /** Called for every lookup of a series beyond the bound. */
  onOverflow(): void;
}

/**
 * Finds the series of a label set without building a key: one map for each label, whose strings are hashed once. A
 * missing label is empty, as in Prometheus, and a new name may come at any time. Never holds more than `maxSeries`,
 * plus one. In that one every label is `other`, and it takes all further label sets.
 */
export class SeriesIndex<Series> {
  readonly #options: SeriesIndexOptions<Series>;
  readonly #all: Series[] = [];
  /** The label names in the order of the branches, the newest first. */
  #labelNames: readonly string[] = [];
  #root = newBranch<Series>();
  #overflow: Series | undefined;
  /** Changes when every series was forgotten. */
  epoch = 0;

  constructor(options: SeriesIndexOptions<Series>) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.length;
  }

  [Symbol.iterator](): IterableIterator<Series> {
    return this.#all[Symbol.iterator]();
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for a wrong label name, more than 32 labels, and a value that is no text. */
  find(labels: MetricLabels): Series {
    let branch: Branch<Series> | undefined = this.#root;
    let found = 0;
    for (const name of this.#labelNames) {
      const value = labels[name];
      const text = typeof value === 'string' && value.length <= 200 ? value : this.#textOf(labels, name);
      if (text !== undefined) found += 1;
      branch = branch?.children.get(text ?? '');
    }
    let given = 0;
    for (const _ in labels) {
      given += 1;
      if (given > MAX_LABELS) throw tooManyLabels(this.#options.metric);
    }
    if (given !== found) return this.#findAnew(labels);
    return branch?.series ?? this.#add(labels);
  }

  /** Gives a function that does the same as `find`. It looks a series up once, and the shared one at every call. */
  bound(given: MetricLabels): () => Series {
    checkLabelCount(this.#options.metric, given);
    const labels = { ...given };
    let kept: Series | undefined;
    let epoch = this.epoch;
    return () => {
      if (kept !== undefined && epoch === this.epoch) return kept;
      const found = this.find(labels);
      kept = found === this.#overflow ? undefined : found;
      epoch = this.epoch;
      return found;
    };
  }

  /** Forgets every series. */
  clear(): void {
    this.epoch += 1;
    this.#root = newBranch();
    this.#labelNames = [];
    this.#overflow = undefined;
    this.#all.length = 0;
  }

  /** Finds the series of labels with new names, or with undefined values, which count as missing. */
  #findAnew(labels: MetricLabels): Series {
    const { metric, ownLabels } = this.#options;
    const defined = Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined));
    checkLabelNames(metric, defined, ownLabels);
    for (const name of Object.keys(defined)) this.#textOf(defined, name);
    const added = Object.keys(defined).filter((name) => !this.#labelNames.includes(name));
    if (this.#labelNames.length + added.length > MAX_LABELS) {
      throw new InputError(
        'labels',
        `${metric} takes at most ${MAX_LABELS} label names, got ${added.join(', ')} as well`,
      );
    }
    // Every series so far has the new labels empty.
    for (const name of added) {
      this.#root = { children: new Map([['', this.#root]]), series: undefined };
      this.#labelNames = [name, ...this.#labelNames];
    }
    return this.find(defined);
  }

  #add(labels: MetricLabels): Series {
    const texts = this.#labelNames.map((name) => this.#textOf(labels, name));
    if (this.#all.length < this.#options.maxSeries || this.#labelNames.length === 0) return this.#place(texts);
    this.#options.onOverflow();
    this.#overflow ??= this.#place(texts.map(() => OVERFLOW_VALUE));
    return this.#overflow;
  }

  #place(texts: readonly (string | undefined)[]): Series {
    let branch = this.#root;
    for (const text of texts) {
      let child = branch.children.get(text ?? '');
      if (child === undefined) {
        child = newBranch();
        branch.children.set(text ?? '', child);
      }
      branch = child;
    }
    if (branch.series === undefined) {
      const labels = this.#labelNames.flatMap((name, index) => {
        const text = texts[index];
        return text === undefined ? [] : [[name, text] as const];
      });
      labels.sort(([a], [b]) => (a < b ? -1 : 1));
      branch.series = this.#options.create(Object.freeze(Object.fromEntries(labels)));
      this.#all.push(branch.series);
    }
    return branch.series;
  }

  /** A label's value as text; `undefined` when the label is missing. */
  #textOf(labels: MetricLabels, name: string): string | undefined {
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    const text = labelText(value);
    if (text === undefined && value !== undefined) {
      throw new InputError(
        'labels',
        `${this.#options.metric}: ${name} must be a string, number or boolean, got ${describeKind(value)}`,
      );
    }
    return text;
  }
}
