import type { ByteReader } from './byte-reader.ts';
import type { ImageFormat } from './image-format.ts';

/** A format that is recognised, though the API does not take it: `name` is for people. */
export type DetectedFormat =
  | { readonly supported: true; readonly format: ImageFormat }
  | { readonly supported: false; readonly name: string };

const supported = (format: ImageFormat): DetectedFormat => ({ supported: true, format });
const unsupported = (name: string): DetectedFormat => ({ supported: false, name });

/** First bytes, as Latin-1 text, of formats that need no closer look. Longer ones stand before their prefixes. */
const SIGNATURES: readonly (readonly [string, DetectedFormat])[] = [
  ['\x89PNG\r\n\x1a\n', supported('png')],
  ['\xff\xd8\xff', supported('jpeg')],
  ['GIF87a', supported('gif')],
  ['GIF89a', supported('gif')],
  ['II*\0', unsupported('TIFF')],
  ['MM\0*', unsupported('TIFF')],
  ['II+\0', unsupported('BigTIFF')],
  ['MM\0+', unsupported('BigTIFF')],
  ['IIRO', unsupported('Olympus raw')],
  ['II\xbc\x01', unsupported('JPEG XR')],
  ['BM', unsupported('BMP')],
  ['%PDF-', unsupported('PDF')],
  ['%!PS', unsupported('PostScript')],
  ['8BPS', unsupported('Photoshop')],
  ['\0\0\x01\0', unsupported('ICO')],
  ['\0\0\x02\0', unsupported('CUR')],
  ['\xff\x0a', unsupported('JPEG XL')],
  ['\0\0\0\x0cJXL \r\n\x87\n', unsupported('JPEG XL')],
  ['\0\0\0\x0cjP  \r\n\x87\n', unsupported('JPEG 2000')],
  ['\xff\x4f\xff\x51', unsupported('JPEG 2000')],
  ['\x8aMNG\r\n\x1a\n', unsupported('MNG')],
  ['\x8bJNG\r\n\x1a\n', unsupported('JNG')],
  ['FLIF', unsupported('FLIF')],
  ['qoif', unsupported('QOI')],
  ['DDS ', unsupported('DDS')],
  ['v/1\x01', unsupported('OpenEXR')],
  ['#?RADIANCE', unsupported('Radiance HDR')],
  ['SIMPLE  =', unsupported('FITS')],
  ['\x1aE\xdf\xa3', unsupported('Matroska or WebM video')],
  ['PK\x03\x04', unsupported('ZIP archive')],
  ['\x1f\x8b', unsupported('gzip data')],
];

/** ISO base media brands (ISO/IEC 23008-12, AV1 image file format); anything else with `ftyp` is a video. */
const BRANDS: Readonly<Record<string, string>> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  heis: 'HEIC',
  hevc: 'HEIC',
  hevx: 'HEIC',
  mif1: 'HEIF',
  msf1: 'HEIF',
  'crx ': 'Canon raw',
};

/** Tells a format by its content; `undefined` for bytes that are none known. */
export function detectFormat(reader: ByteReader): DetectedFormat | undefined {
  const head = reader.text(0, 32);
  for (const [signature, detected] of SIGNATURES) if (head.startsWith(signature)) return detected;
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return supported('webp');
  if (head.startsWith('ftyp', 4)) return unsupported(isoMediaName(reader));
  if (/^P[1-7][\s#]/.test(head)) return unsupported('Netpbm');
  return looksLikeSvg(reader) ? unsupported('SVG') : undefined;
}

function isoMediaName(reader: ByteReader): string {
  const end = Math.min(reader.u32(0), 64);
  const brands = [reader.text(8, 4)];
  for (let offset = 16; offset + 4 <= end; offset += 4) brands.push(reader.text(offset, 4));
  // A generic `mif1` names its real codec among the compatible brands.
  const names = brands.map((brand) => BRANDS[brand]).filter((name) => name !== undefined);
  return names.find((name) => name !== 'HEIF') ?? names[0] ?? 'MP4 or QuickTime video';
}

const LONGEST_PROLOG = 4_096;

function looksLikeSvg(reader: ByteReader): boolean {
  const utf16 = reader.text(0, 2) === '\xff\xfe' || reader.text(0, 2) === '\xfe\xff';
  const raw = reader.text(0, LONGEST_PROLOG);
  const text = (utf16 ? raw.slice(2).replaceAll('\0', '') : raw.replace(/^\xef\xbb\xbf/, '')).trimStart();
  return text.startsWith('<') && /<(?:[\w-]+:)?svg[\s>/]/i.test(text);
}
