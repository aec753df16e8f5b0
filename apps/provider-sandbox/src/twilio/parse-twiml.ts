export type Verb = { readonly name: string; readonly attributes: Readonly<Record<string, string>>; readonly text: string };

/** Bytes of TwiML that Twilio reads (error 11750 past that). */
const lengthMax = 64 * 1024;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The verbs of a TwiML document in their order: strict XML, `<Response>` at its root, each verb with text alone in it. */
export function parseTwiml(document: string): { readonly verbs: readonly Verb[] } | { readonly error: string } {
  try {
    return { verbs: new Reader(document).verbs() };
  } catch (error) {
    if (error instanceof Malformed) return { error: error.message };
    throw error;
  }
}

class Malformed extends Error {}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    if (text.length > lengthMax) throw new Malformed('the document is too long');
    this.text = text.replace(/^\uFEFF?\s*/, '');
  }

  verbs(): Verb[] {
    this.match(/<\?xml[^?]*\?>/y);
    this.skip();
    const root = this.open();
    if (root.name !== 'Response') throw new Malformed(`the root is <${root.name}>, not <Response>`);
    const verbs: Verb[] = [];
    if (!root.isClosed) {
      this.skip();
      while (!this.text.startsWith('</', this.at)) {
        verbs.push(this.verb());
        this.skip();
      }
      this.close('Response');
    }
    this.skip();
    if (this.at < this.text.length) throw new Malformed('something follows </Response>');
    return verbs;
  }

  private verb(): Verb {
    const { name, attributes, isClosed } = this.open();
    if (isClosed) return { name, attributes, text: '' };
    const text = this.match(/[^<]*/y)?.[0] ?? '';
    this.close(name);
    return { name, attributes, text: this.decode(text).trim() };
  }

  private open(): { name: string; attributes: Record<string, string>; isClosed: boolean } {
    const name = this.match(/<([A-Za-z][\w-]*)/y)?.[1];
    if (name === undefined) throw new Malformed(`a tag was expected at ${this.at}`);
    const attributes: Record<string, string> = {};
    for (let found = this.match(/\s+([A-Za-z][\w-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y); found !== null; found = this.match(/\s+([A-Za-z][\w-]*)\s*=\s*("[^"<]*"|'[^'<]*')/y)) {
      const [, key = '', quoted = ''] = found;
      if (key in attributes) throw new Malformed(`<${name}> has ${key} twice`);
      attributes[key] = this.decode(quoted.slice(1, -1));
    }
    const end = this.match(/\s*(\/?)>/y);
    if (end === null) throw new Malformed(`<${name}> does not end`);
    return { name, attributes, isClosed: end[1] === '/' };
  }

  private close(name: string): void {
    if (this.match(new RegExp(`</${name}\\s*>`, 'y')) === null) throw new Malformed(`</${name}> was expected at ${this.at}`);
  }

  /** White space and comments. */
  private skip(): void {
    this.match(/(\s|<!--[\s\S]*?-->)*/y);
  }

  private decode(text: string): string {
    return text.replaceAll(/&([^;\s&]*);?/g, (whole, name: string) => {
      const code = /^#(x[0-9a-f]+|\d+)$/i.exec(name)?.[1];
      const value = code === undefined ? entities[name] : String.fromCodePoint(Number(code.startsWith('x') ? `0${code}` : code));
      if (value === undefined || !whole.endsWith(';')) throw new Malformed(`${whole} is no entity`);
      return value;
    });
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at = pattern.lastIndex;
    return found;
  }
}
