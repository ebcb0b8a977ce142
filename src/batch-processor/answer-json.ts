const FENCE = '```';

/**
 * The JSON of an answer, also inside a code fence. Undefined when it is none: the parser's error would repeat a part of
 * the description.
 */
export function answerJson(text: string): unknown {
  const whole = parsed(text);
  return whole === undefined ? parsed(fenced(text)) : whole;
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
