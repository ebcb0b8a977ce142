import { crypto } from '../../internal/modules/node-modules.ts';

/**
 * A form as one blob, in the encoding `multipart/form-data`. Its files stay where they are and are read only while the
 * blob is. Source: the HTML standard, "Multipart form data"; RFC 7578.
 */
export function multipartBlob(form: FormData): { readonly blob: Blob; readonly contentType: string } {
  const boundary = `----formdata-${crypto().randomUUID()}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of form) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withLineEnds(name))}"`);
    if (typeof value === 'string') {
      parts.push('\r\n\r\n', withLineEnds(value));
    } else {
      const type = value.type || 'application/octet-stream';
      parts.push(`; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`, value);
    }
    parts.push('\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  return { blob: new Blob(parts), contentType: `multipart/form-data; boundary=${boundary}` };
}

const withLineEnds = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n');

const escaped = (name: string): string => name.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
