import { nearestName } from '../../internal/options/nearest-name.ts';

/** Names that other libraries have for the fields of a request, without `_`, `-` and capitals. */
const OTHER_NAMES: readonly (readonly [ours: string, theirs: string])[] = [
  ['imageUrl', 'url uri src href link address imageuri imagesrc'],
  ['file', 'path filename filepath imagepath imagefile'],
  ['image', 'buffer bytes blob stream data base64 imagebuffer imagebytes imagedata'],
  ['prompt', 'text question query instruction instructions'],
  ['maxOutputTokens', 'maxtokens maxcompletiontokens'],
  ['timeoutMs', 'timeout'],
  ['ttlSeconds', 'ttl'],
  ['signal', 'abortsignal'],
];

const OURS: ReadonlyMap<string, string> = new Map(
  OTHER_NAMES.flatMap(([ours, theirs]) => theirs.split(' ').map((name) => [name, ours] as const)),
);

/** Our name for which an unknown name of a request most likely stands. */
export const requestNameOf = (name: string, known: readonly string[]): string | undefined => {
  const ours = OURS.get(name.toLowerCase().replace(/[_-]/g, ''));
  return ours !== undefined && known.includes(ours) ? ours : nearestName(name, known);
};
