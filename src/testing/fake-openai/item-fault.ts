import type { Fault } from './fault-plan.ts';

type ItemFault = Extract<Fault, { kind: 'items' }>;

/** Changes the items of a structured answer in place. Fewer than two items can't be reordered. */
export function applyItemFault(items: unknown[], { change, count = 1 }: ItemFault): void {
  switch (change) {
    case 'missing':
      items.splice(Math.max(0, items.length - count), count);
      break;
    case 'duplicated':
      items.push(...structuredClone(items.slice(0, count)));
      break;
    case 'reordered':
      items.reverse();
      break;
    case 'invented':
      for (let index = 1; index <= count; index += 1) items.push(invent(items[0], `invented-${index}`));
      break;
  }
}

/** An item of the same shape that belongs to no image. */
function invent(like: unknown, text: string): unknown {
  if (typeof like === 'string') return text;
  if (typeof like !== 'object' || like === null) return like;
  return Object.fromEntries(Object.entries(like).map(([name, value]) => [name, invent(value, text)]));
}
