const FENCE = '```';

/**
 * The JSON of an answer, also inside a code fence or, when it is an object, between words. Undefined when it is none: the parser's error would repeat a part of
 * the description.
 */
export function answerJson(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const inFence = parsed(fenced(text));
  return inFence === undefined ? parsed(braced(text)) : inFence;
}

/** From the first brace that begins an object to the last one. */
function braced(text: string): string {
  const begin = text.search(/\{\s{0,20}"/);
  return begin < 0 ? '' : text.slice(begin, text.lastIndexOf('}') + 1);
}

/** What the first code fence holds, without the name of its language. */
function fenced(text: string): string {
  const begin = text.indexOf(FENCE);
  if (begin < 0) return '';
  const rest = text.slice(begin + FENCE.length);
  const end = rest.lastIndexOf(FENCE);
  return (end < 0 ? rest : rest.slice(0, end)).replace(/^[\w+-]{1,20}(?=\s)/, '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
