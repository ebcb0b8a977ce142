/** First bytes, as Latin-1 text. A signature comes before any other one that it begins with. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
  ['II+\0', 'BigTIFF'],
  ['MM\0+', 'BigTIFF'],
  ['IIRO', 'Olympus raw'],
  ['II\xbc\x01', 'JPEG XR'],
  ['BM', 'BMP'],
  ['%PDF-', 'PDF'],
  ['%!PS', 'PostScript'],
  ['8BPS', 'Photoshop'],
  ['\0\0\x01\0', 'ICO'],
  ['\0\0\x02\0', 'CUR'],
  ['\xff\x0a', 'JPEG XL'],
  ['\0\0\0\x0cJXL \r\n\x87\n', 'JPEG XL'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
  ['\xff\x4f\xff\x51', 'JPEG 2000'],
  ['\x8aMNG\r\n\x1a\n', 'MNG'],
  ['\x8bJNG\r\n\x1a\n', 'JNG'],
  ['FLIF', 'FLIF'],
  ['qoif', 'QOI'],
  ['DDS ', 'DDS'],
  ['v/1\x01', 'OpenEXR'],
  ['#?RADIANCE', 'Radiance HDR'],
  ['SIMPLE  =', 'FITS'],
  ['\x1aE\xdf\xa3', 'Matroska or WebM video'],
  ['PK\x03\x04', 'ZIP archive'],
  ['\x1f\x8b', 'gzip data'],
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

/** Names a format that the API does not take; `undefined` for bytes of no known format. */
export function unsupportedName(file: Buffer): string | undefined {
  const head = file.toString('latin1', 0, 32);
  for (const [signature, name] of SIGNATURES) if (head.startsWith(signature)) return name;
  if (head.startsWith('ftyp', 4)) return isoMediaName(file);
  if (/^P[1-7][\s#]/.test(head)) return 'Netpbm';
  return looksLikeSvg(file) ? 'SVG' : undefined;
}

function isoMediaName(file: Buffer): string {
  const end = Math.min(file.readUInt32BE(0), 64);
  const brands = [file.toString('latin1', 8, 12)];
  for (let offset = 16; offset + 4 <= end; offset += 4) brands.push(file.toString('latin1', offset, offset + 4));
  // A generic `mif1` has its real codec among the compatible brands.
  const names = brands.map((brand) => BRANDS[brand]).filter((name) => name !== undefined);
  return names.find((name) => name !== 'HEIF') ?? names[0] ?? 'MP4 or QuickTime video';
}

const LONGEST_PROLOG = 4_096;

function looksLikeSvg(file: Buffer): boolean {
  const raw = file.toString('latin1', 0, LONGEST_PROLOG);
  const isUtf16 = raw.startsWith('\xff\xfe') || raw.startsWith('\xfe\xff');
  const text = (isUtf16 ? raw.slice(2).replaceAll('\0', '') : raw.replace(/^\xef\xbb\xbf/, '')).trimStart();
  return text.startsWith('<') && /<(?:[\w-]+:)?svg[\s>/]/i.test(text);
}
