export interface HideRules {
  /** The text that replaces a match. */
  readonly label: string;
  /** Number of letters and digits in a row that are hidden as a part of the secret. */
  readonly leastRun: number;
  /** Letters and digits of the shortest secret that is hidden. One below `leastRun` is hidden only as whole words. */
  readonly leastLength: number;
  /** Hides the whole word around a match, such as an address. @defaultValue false */
  readonly wholeToken?: boolean;
}

/** Number of lines of a secret that are searched for one by one. */
const MAX_LINES = 1000;

/**
 * Hides secrets in a text, also quoted in part, or in other case, spacing or punctuation: only letters and digits are
 * compared. Takes time that is linear in the text and in each secret.
 */
export class SecretMask {
  readonly #text: string;
  /** Letters and digits of the text, and the index of each. */
  readonly #letters: string;
  readonly #places: readonly number[];
  readonly #labels = new Map<number, string>();

  constructor(text: string) {
    const lower = folded(text);
    // Some letters have a longer lower case. The text is then shown in lower case, so that the indexes agree.
    this.#text = lower.length === text.length ? text : lower;
    const places: number[] = [];
    for (const { 0: character, index } of lower.matchAll(/[\p{L}\p{N}]/gu)) {
      for (let unit = 0; unit < character.length; unit += 1) places.push(index + unit);
    }
    this.#places = places;
    this.#letters = places.map((place) => lower[place]).join('');
  }

  hide(secret: string, rules: HideRules): void {
    const letters = lettersOf(secret);
    if (letters.length < rules.leastLength) return;
    if (letters.length < rules.leastRun) this.#hideWhole(letters, rules);
    else this.#hideRuns(letters, rules);
  }

  /** Hides the secret and each of its short lines: a server may quote one line of it. */
  hideLines(secret: string, rules: HideRules): void {
    this.hide(secret, rules);
    for (const line of secret.split('\n', MAX_LINES)) {
      const letters = lettersOf(line);
      if (letters.length >= rules.leastLength && letters.length < rules.leastRun) {
        this.#hideWhole(letters, rules);
      }
    }
  }

  toString(): string {
    let shown = '';
    let label: string | undefined;
    for (let place = 0; place < this.#text.length; place += 1) {
      const own = this.#labels.get(place);
      if (own === undefined) shown += this.#text[place];
      else if (own !== label) shown += own;
      label = own;
    }
    return shown;
  }

  #hideWhole(letters: string, rules: HideRules): void {
    // Chinese and Japanese have no gaps between words.
    const hasWords = /^[\p{sc=Latin}\d]*$/u.test(letters);
    for (let at = this.#letters.indexOf(letters); at >= 0; at = this.#letters.indexOf(letters, at + 1)) {
      const end = at + letters.length;
      if (!hasWords || (!this.#isInWord(at) && !this.#isInWord(end))) this.#mark(at, end, rules);
    }
  }

  #hideRuns(letters: string, rules: HideRules): void {
    const { leastRun } = rules;
    let hiddenTo = 0;
    const runs = new Map<string, number>();
    for (let at = 0; at + leastRun <= letters.length; at += 1) {
      const run = letters.slice(at, at + leastRun);
      if (!runs.has(run)) runs.set(run, at);
    }
    for (let at = 0; at + leastRun <= this.#letters.length; at += 1) {
      const found = runs.get(this.#letters.slice(at, at + leastRun));
      if (found === undefined) continue;
      const from = this.#commonStart(letters, at, found, hiddenTo);
      const end = this.#commonEnd(letters, at + leastRun, found + leastRun);
      this.#mark(from, end, rules);
      at = end - leastRun;
      hiddenTo = end;
    }
  }

  /** Where the run begins, but not before `least`: the text before it is hidden already. */
  #commonStart(letters: string, at: number, found: number, least: number): number {
    let start = at;
    const shift = found - at;
    while (start > least && start + shift > 0 && this.#letters[start - 1] === letters[start + shift - 1]) {
      start -= 1;
    }
    return start;
  }

  #commonEnd(letters: string, at: number, found: number): number {
    let end = at;
    while (end < this.#letters.length && this.#letters[end] === letters[found + end - at]) end += 1;
    return end;
  }

  /** Whether there is no gap between the letter before and this one. */
  #isInWord(at: number): boolean {
    const place = this.#places[at];
    return place !== undefined && at > 0 && this.#places[at - 1] === place - 1;
  }

  #mark(from: number, end: number, { label, wholeToken = false }: HideRules): void {
    let first = this.#places[from] ?? 0;
    let last = this.#places[end - 1] ?? first;
    if (wholeToken) {
      while (first > 0 && isOfToken(this.#text[first - 1])) first -= 1;
      while (last + 1 < this.#text.length && isOfToken(this.#text[last + 1])) last += 1;
    }
    for (let place = first; place <= last; place += 1) this.#labels.set(place, label);
  }
}

const isOfToken = (character: string | undefined): boolean =>
  character !== undefined && !/[\s"'`<>()[\]{}]/.test(character);

const folded = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ');

const lettersOf = (text: string): string => folded(text).replace(/[^\p{L}\p{N}]+/gu, '');
