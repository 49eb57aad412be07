// A scripted worker: answers `POST /classify` as the test says, and keeps what it was asked. In-process, any address.

/** One request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly atMs: number;
  /** `topic/partition/offset` of the record, without the quotes; empty without one. */
  readonly key: string;
  /** Which record of its topic and partition it is. */
  readonly offset: number;
  /** The value of `Ackpool-Attempt`. */
  readonly attempt: number;
  readonly text: string;
}

/** A number is a status with an empty body. */
export type Scripted = Response | number;
export type Script = (request: SeenRequest) => Scripted | Promise<Scripted>;

/** A running stub. `await using` stops it. */
export class StubWorker implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Answers everything; may be replaced at any time. */
  script: Script;
  /** Answers `GET /readyz`. */
  ready: () => Scripted = () => 200;
  inFlight = 0;
  inFlightMost = 0;
  readonly #stopped = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(script: Script = () => 200, { hostname = "127.0.0.1", port = 0 } = {}) {
    this.script = script;
    const { signal } = this.#stopped;
    this.#server = Deno.serve(
      { hostname, port, signal, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** For `WORKER_URL`. */
  get url(): string {
    return `http://${this.#server.addr.hostname}:${this.port}`;
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** How often each record was delivered. */
  get deliveries(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { key } of this.requests) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // At once, also under requests that the test has left without an answer.
    this.#stopped.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/readyz") return toResponse(this.ready());
    const seen = seenOf(request, pathname + search, new Uint8Array(await request.arrayBuffer()));
    this.requests.push(seen);
    this.inFlight += 1;
    this.inFlightMost = Math.max(this.inFlightMost, this.inFlight);
    try {
      return toResponse(await this.script(seen));
    } finally {
      this.inFlight -= 1;
    }
  }
}

/** An RFC 9457 problem. */
export function problem(status: number, type: string, headers: Record<string, string> = {}): Response {
  return Response.json({ type, title: type, status }, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** A request that is answered when the test says so. */
export class Gate {
  readonly #opened = Promise.withResolvers<void>();

  open(): void {
    this.#opened.resolve();
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }
}

function seenOf(request: Request, path: string, body: Uint8Array): SeenRequest {
  const headers = Object.fromEntries(request.headers);
  const key = (headers["idempotency-key"] ?? "").replaceAll('"', "");
  return {
    method: request.method,
    path,
    headers,
    body,
    atMs: Date.now(),
    key,
    offset: Number(key.split("/")[2] ?? -1),
    attempt: Number(headers["ackpool-attempt"] ?? 0),
    text: new TextDecoder().decode(body),
  };
}

function toResponse(scripted: Scripted): Response {
  return typeof scripted === "number" ? new Response(null, { status: scripted }) : scripted;
}
