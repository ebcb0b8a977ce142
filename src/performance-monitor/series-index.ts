import { InputError } from '../errors/input-error.ts';
import { labelText, type MetricLabels, OVERFLOW_VALUE } from './metric-labels.ts';

interface Branch<Series> {
  readonly children: Map<string, Branch<Series>>;
  series: Series | undefined;
}

const newBranch = <Series>(): Branch<Series> => ({ children: new Map(), series: undefined });

export interface SeriesIndexOptions<Series> {
  readonly metric: string;
  /** In the order of the alphabet. */
  readonly labelNames: readonly string[];
  readonly maxSeries: number;
  create(labels: Readonly<Record<string, string>>): Series;
  /** Called for every lookup that the bound turned away. */
  onOverflow(): void;
}

/**
 * Finds the series of a label set without building a key: one map a label, whose strings are hashed once. Never holds
 * more than `maxSeries` and one more, in which every label is `other` and which takes all further label sets.
 */
export class SeriesIndex<Series> {
  readonly labelNames: readonly string[];
  readonly #metric: string;
  readonly #maxSeries: number;
  readonly #create: (labels: Readonly<Record<string, string>>) => Series;
  readonly #onOverflow: () => void;
  readonly #root = newBranch<Series>();
  readonly #all: Series[] = [];

  constructor({ metric, labelNames, maxSeries, create, onOverflow }: SeriesIndexOptions<Series>) {
    this.labelNames = labelNames;
    this.#metric = metric;
    this.#maxSeries = maxSeries;
    this.#create = create;
    this.#onOverflow = onOverflow;
  }

  get size(): number {
    return this.#all.length;
  }

  [Symbol.iterator](): IterableIterator<Series> {
    return this.#all[Symbol.iterator]();
  }

  /** @throws `DESCRIBE_INPUT_INVALID` for other label names than the metric's first ones, and for a value that is no text. */
  find(labels: MetricLabels): Series {
    let branch: Branch<Series> | undefined = this.#root;
    for (const name of this.labelNames) {
      const value = labels[name];
      const text: string | undefined =
        typeof value === 'string' && value.length <= 200 ? value : labelText(value);
      if (text === undefined) throw this.#mismatch(labels);
      branch = branch?.children.get(text);
    }
    let given = 0;
    for (const _ in labels) given += 1;
    if (given !== this.labelNames.length) throw this.#mismatch(labels);
    return branch?.series ?? this.#add(labels);
  }

  /** Forgets every series. */
  clear(): void {
    this.#root.children.clear();
    this.#root.series = undefined;
    this.#all.length = 0;
  }

  #add(labels: MetricLabels): Series {
    const texts = this.labelNames.map((name) => labelText(labels[name]) ?? '');
    if (this.#all.length < this.#maxSeries || this.labelNames.length === 0) return this.#place(texts);
    this.#onOverflow();
    return this.#place(texts.map(() => OVERFLOW_VALUE));
  }

  #place(texts: readonly string[]): Series {
    let branch = this.#root;
    for (const text of texts) {
      let child = branch.children.get(text);
      if (child === undefined) {
        child = newBranch();
        branch.children.set(text, child);
      }
      branch = child;
    }
    if (branch.series === undefined) {
      const labels = this.labelNames.map((name, index) => [name, texts[index] ?? ''] as const);
      branch.series = this.#create(Object.freeze(Object.fromEntries(labels)));
      this.#all.push(branch.series);
    }
    return branch.series;
  }

  #mismatch(labels: MetricLabels): InputError {
    const expected = this.labelNames.length === 0 ? 'no labels' : this.labelNames.join(', ');
    const wrong = this.labelNames.find(
      (name) => Object.hasOwn(labels, name) && labelText(labels[name]) === undefined,
    );
    const got = Object.keys(labels).sort().join(', ') || 'none';
    return new InputError(
      'labels',
      wrong === undefined
        ? `${this.#metric} has ${expected}, got ${got}`
        : `${this.#metric}: the value of ${wrong} is no string, number or boolean`,
    );
  }
}
