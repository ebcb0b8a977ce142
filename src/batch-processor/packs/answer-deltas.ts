import { inSmallLetters, THOUGHT_TAGS } from './answer.ts';

/** Takes the pieces of an answer, and gives the pieces of its description. */
export interface DeltaFilter {
  /** Returns what is certain to belong to the description; it may be empty. */
  push(text: string): string;
}

/** For one answer. The text that a filter holds back at the end is the rest of the description, if anything. */
export const deltaFilter = (isJson: boolean): DeltaFilter => (isJson ? new JsonFilter() : new ProseFilter());

/**
 * The description that a caller gets. JSON that was streamed may differ from its usual form, as in `1.0` for `1`. It is
 * the description where it holds the same data.
 */
export function descriptionAsStreamed(streamed: string, description: string): string {
  if (description.startsWith(streamed)) return description;
  try {
    return JSON.stringify(JSON.parse(streamed)) === description ? streamed : description;
  } catch {
    return description;
  }
}

/** Leaves out the thoughts at the beginning, as `answerText` does. */
class ProseFilter implements DeltaFilter {
  #state: 'start' | 'thoughts' | 'gap' | 'text' = 'start';
  /** The spaces before anything else. Kept apart, so that endless ones are not read again with each delta. */
  #indent = '';
  #held = '';
  #closingTag = '';

  push(text: string): string {
    if (this.#state === 'text') return text;
    this.#held += text;
    if (this.#state === 'start') this.#lookForThoughts();
    if (this.#state === 'thoughts') this.#lookForEnd();
    if (this.#state === 'gap') this.#skipGap();
    return (this.#state as string) === 'text' ? this.#release() : '';
  }

  #lookForThoughts(): void {
    const rest = this.#held.trimStart();
    this.#indent += this.#held.slice(0, this.#held.length - rest.length);
    this.#held = rest;
    const begin = inSmallLetters(rest.slice(0, MAX_TAG_LENGTH));
    let mayBegin = begin === '';
    for (const [open, close] of THOUGHT_TAGS) {
      if (begin.startsWith(open)) {
        this.#state = 'thoughts';
        this.#indent = '';
        this.#closingTag = close;
        return;
      }
      mayBegin ||= open.startsWith(begin);
    }
    if (!mayBegin) this.#state = 'text';
  }

  #lookForEnd(): void {
    const end = inSmallLetters(this.#held).indexOf(this.#closingTag);
    if (end < 0) {
      // Only a part of the closing tag is still of use.
      this.#held = this.#held.slice(1 - this.#closingTag.length);
      return;
    }
    this.#held = this.#held.slice(end + this.#closingTag.length);
    this.#state = 'gap';
  }

  #skipGap(): void {
    this.#held = this.#held.trimStart();
    if (this.#held !== '') this.#state = 'text';
  }

  #release(): string {
    const text = this.#indent + this.#held;
    this.#indent = '';
    this.#held = '';
    return text;
  }
}

const MAX_TAG_LENGTH = Math.max(...THOUGHT_TAGS.map(([open]) => open.length));

/** JSON at the beginning of an answer, maybe within a code fence. */
const JSON_BEGINS = /^\s*(?:```\w{0,20}\s*)?(?=[{[])/;
/** The beginning of such an answer. */
const MAY_BEGIN = /^(?:`{0,3}|```\w{0,20}\s?)$/;

/** Gives the JSON of an answer without the spaces between its parts, as `JSON.stringify` writes it. */
class JsonFilter implements DeltaFilter {
  #state: 'start' | 'json' | 'end' = 'start';
  #head = '';
  #depth = 0;
  #isInText = false;
  #isEscaped = false;

  push(text: string): string {
    if (this.#state === 'json') return this.#compact(text, 0);
    if (this.#state === 'end') return '';
    this.#head += text;
    const before = JSON_BEGINS.exec(this.#head)?.[0];
    if (before !== undefined) {
      this.#state = 'json';
      return this.#compact(this.#head, before.length);
    }
    // A model may write spaces without end. One of them tells as much, and keeps the head short.
    const head = this.#head.trimStart();
    const kept = head.trimEnd();
    this.#head = kept.length < head.length ? `${kept} ` : kept;
    // Words before the JSON may hold a bracket, too. Such an answer is read when it is whole.
    if (!MAY_BEGIN.test(this.#head)) this.#state = 'end';
    return '';
  }

  #compact(text: string, from: number): string {
    let compact = '';
    let start = from;
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#isInText) this.#readText(code);
      else if (code === SPACE || code === LINE_FEED || code === RETURN || code === TAB) {
        compact += text.slice(start, at);
        start = at + 1;
      } else if (code === QUOTE) this.#isInText = true;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth += 1;
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#state = 'end';
        return compact + text.slice(start, at + 1);
      }
    }
    return compact + text.slice(start);
  }

  #readText(code: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (code === BACKSLASH) this.#isEscaped = true;
    else if (code === QUOTE) this.#isInText = false;
  }
}

const [TAB, LINE_FEED, RETURN, SPACE, QUOTE] = [0x09, 0x0a, 0x0d, 0x20, 0x22];
const [OPEN_BRACKET, BACKSLASH, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
