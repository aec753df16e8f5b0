import { Query, type ClientBase, type QueryResult, type Submittable } from 'pg';

export type Statement = { readonly text: string; readonly values: readonly unknown[]; /** Under which the server keeps it prepared. */ readonly name: string | undefined };

/**
 * Sends statements in one write and takes their answers in one: a round trip for all of them. The first that fails ends the batch; those
 * after it are not run. What ran before it stands as far as the open transaction does.
 */
export function sendBatch(client: ClientBase, statements: readonly Statement[]): Promise<QueryResult[]> {
  return new Promise((resolve, reject) => {
    // The cast is safe: pg's type of a connection leaves out some of what it has.
    client.query(new Batch(statements, resolve, reject) as unknown as Submittable);
  });
}

/** What pg-cursor and pg-query-stream use too; pg's types leave it out. */
type WireConnection = {
  readonly stream: { cork(): void; uncork(): void };
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  sync(): void;
  close(what: { type: 'S'; name: string }): void;
};
type WireQuery = {
  prepare(connection: WireConnection): void;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: WireConnection): void;
  handleReadyForQuery(connection: WireConnection): void;
};
type Part = { readonly query: WireQuery; readonly text: string; readonly name: string | undefined };

/** A query of several statements, as pg's client sees it: it sends itself, and is handed every answer until the server is ready again. */
class Batch {
  private readonly parts: Part[];
  private readonly results: QueryResult[] = [];
  private readonly resolve: (results: QueryResult[]) => void;
  private readonly reject: (error: Error) => void;
  private failure: Error | undefined;
  private at = 0;
  /** pg puts the end of its time limit here, when the connection has one. */
  callback: ((error: Error | null) => void) | undefined;

  constructor(statements: readonly Statement[], resolve: (results: QueryResult[]) => void, reject: (error: Error) => void) {
    this.resolve = resolve;
    this.reject = reject;
    this.parts = statements.map(({ text, values, name }) => {
      // An empty list too: without one, pg would take the simple protocol, which cannot be batched.
      const config = { text, values: [...values], ...(name === undefined ? {} : { name }) };
      const query = new Query(config, (error: Error | undefined, result: unknown) => {
        if (error) this.failure ??= error;
        // The cast is safe: one statement has one result.
        else this.results.push(result as QueryResult);
      });
      return { query: query as unknown as WireQuery, text, name };
    });
  }

  submit(connection: WireConnection): void {
    // Each query would ask for an answer of its own; the one request at the end is for all. And with a value that cannot be sent it would close
    // its statement, which pg goes on believing to be prepared.
    const silent = Object.create(connection, { sync: { value: () => undefined }, close: { value: () => undefined } }) as WireConnection;
    connection.stream.cork();
    try {
      for (const { query } of this.parts) {
        query.prepare(silent);
        // A value that cannot be sent: nothing after it may run, least of all a commit.
        if (this.failure !== undefined) break;
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  }

  handleRowDescription(message: unknown): void {
    this.parts[this.at]?.query.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.parts[this.at]?.query.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: WireConnection): void {
    const part = this.parts[this.at++];
    if (part === undefined) return;
    part.query.handleCommandComplete(message, connection);
    if (part.name === undefined || connection.submittedNamedStatements[part.name] === undefined) return;
    connection.parsedStatements[part.name] = part.text;
    delete connection.submittedNamedStatements[part.name];
  }

  handleReadyForQuery(connection: WireConnection): void {
    for (const { query } of this.parts.slice(0, this.at)) query.handleReadyForQuery(connection);
    if (this.failure !== undefined) this.fail(this.failure, connection);
    else {
      this.callback?.(null);
      this.resolve(this.results);
    }
  }

  handleError(error: Error, connection: WireConnection): void {
    this.fail(error, connection);
  }

  /** Which of the new statements the server has kept is not known: it is told to drop them, and they are prepared again when they are needed. */
  private fail(error: Error, connection: WireConnection): void {
    for (const { name } of this.parts.slice(this.at)) {
      if (name === undefined || connection.submittedNamedStatements[name] === undefined) continue;
      delete connection.submittedNamedStatements[name];
      connection.close({ type: 'S', name });
    }
    this.callback?.(error);
    this.reject(error);
  }
}
