/** A reason not to start, as sentences for the person at the terminal. Holds no secret. */
export class StartRefusal extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StartRefusal';
  }
}
