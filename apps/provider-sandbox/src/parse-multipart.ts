export type FormPart = { readonly name: string; readonly fileName?: string; readonly contentType?: string; readonly bytes: Buffer };

/** Parts of a multipart/form-data body (RFC 7578); undefined when it is none. */
export function parseMultipart(contentType: string | undefined, body: Buffer): FormPart[] | undefined {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(contentType ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: FormPart[] = [];
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    const contentStart = start + delimiter.length + 2;
    const next = body.indexOf(delimiter, contentStart);
    if (next === -1) break;
    const headEnd = body.indexOf('\r\n\r\n', contentStart);
    if (headEnd !== -1 && headEnd < next) {
      const head = body.subarray(contentStart, headEnd).toString('utf8');
      const name = /name="([^"]*)"/i.exec(head)?.[1];
      const fileName = /filename="([^"]*)"/i.exec(head)?.[1];
      const type = /content-type:\s*([^\r\n]+)/i.exec(head)?.[1];
      if (name !== undefined) parts.push({ name, fileName, contentType: type, bytes: body.subarray(headEnd + 4, next - 2) });
    }
    start = next;
  }
  return parts;
}
