// HTTP server of the ingress: bounds on headers, on the time they take, and on the connections of one address.

import { getRequestListener } from "@hono/node-server";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { listenError } from "../../shared/process/serve.ts";
import { CLOSE, type IngressProblem, ingressProblem } from "./problems.ts";

/** A request's line and headers have so long to arrive, in ms. */
const HEADERS_MS = 10_000;
/** A request has so long to arrive, its body included, in ms: RequestBodies says so earlier, and in words. */
const REQUEST_MS = 120_000;
/** A worker's HTTP server refuses many more. */
const HEADERS_MAX = 100;
const HEADER_BYTES_MAX = 16_384;
/** Connections of all clients together. */
const CONNECTIONS_MAX = 4_096;

type IncomingRequest = Pick<IncomingMessage, "url" | "headers" | "rawHeaders" | "socket">;

/** Answers one request; `peer` is the address at the other end of its connection. */
export type Handler = (request: Request, peer: string | undefined) => Response | Promise<Response>;

/** Where to listen, and how many connections one address may have; 0 counts nobody. */
export interface ServerOptions {
  readonly port: number;
  readonly host: string;
  readonly connectionsPerClient: number;
  /** Time for a request's line and headers, in ms; 10 s where it is not given. */
  readonly headersMs?: number;
}

/** A server that listens. */
export interface IngressServer {
  readonly port: number;
  /** Takes nothing new and resolves when what is in flight has ended. */
  shutdown(): Promise<void>;
}

/**
 * Serves calls. Deno's own server has no limit on how long a caller takes for its headers, node:http has one.
 *
 * @throws {StartError} when the port is taken or forbidden.
 */
export async function serveIngress(handler: Handler, options: ServerOptions): Promise<IngressServer> {
  const listener = getRequestListener(
    async (request: Request, { incoming }: { readonly incoming: IncomingRequest }) =>
      requestFault(incoming) ??
        endingWith(incoming.socket, await handler(request, incoming.socket.remoteAddress)),
    { errorHandler: noUrl },
  );
  const server = createServer({
    headersTimeout: options.headersMs ?? HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: Math.min(1_000, options.headersMs ?? HEADERS_MS),
    maxHeaderSize: HEADER_BYTES_MAX,
  }, listener);
  server.maxConnections = CONNECTIONS_MAX;
  server.on("connection", connectionLimit(options.connectionsPerClient));
  // CONNECT asks for a tunnel: there is none (RFC 9110 section 9.3.6).
  server.on("connect", (_request, socket) => refuse(socket, "bad-request"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(socket, problemOf(error.code)));
  await listening(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    shutdown: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function listening(server: Server, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, port, "PORT", host)));
    server.listen(port, host, resolve);
  });
}

/** What is wrong with a request that can be read, before anybody else sees it. */
function requestFault({ url = "", headers, rawHeaders }: IncomingRequest): Response | undefined {
  // Neither a proxy's form nor `*` (RFC 9112 section 3.2): callers name a path.
  if (!url.startsWith("/")) {
    return ingressProblem("bad-request", "The request's target has to be a path that begins with /", CLOSE);
  }
  // Some hosts look like names and are none, such as 4127.0.0.1: whoever asks for the URL then gets an exception.
  if (!URL.canParse(`http://${headers.host ?? "localhost"}${url}`)) return noUrl();
  if (rawHeaders.length / 2 <= HEADERS_MAX) return undefined;
  return ingressProblem("too-many-headers", `At most ${HEADERS_MAX} header fields are taken`, CLOSE);
}

/**
 * An answer that breaks off ends its connection, so that no caller takes a part for the whole. The library would write
 * the error behind what was sent, and its stack to the log.
 */
function endingWith(socket: Pick<Socket, "destroy">, response: Response): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) return response;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        socket.destroy();
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, response);
}

const noUrl = () => ingressProblem("bad-request", "The Host header or the path is not valid", CLOSE);

function connectionLimit(most: number): (socket: Socket) => void {
  const open = new Map<string, number>();
  return (socket) => {
    const address = socket.remoteAddress;
    if (most === 0 || address === undefined) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > most) return void socket.destroy();
    open.set(address, count);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  };
}

function problemOf(code: string | undefined): IngressProblem {
  if (code === "HPE_HEADER_OVERFLOW") return "too-many-headers";
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? "body-too-slow" : "bad-request";
}

/** Writes a problem to a connection that has no response of its own yet, and ends it. */
async function refuse(socket: Duplex, slug: IngressProblem): Promise<void> {
  if (!socket.writable) return void socket.destroy();
  const response = ingressProblem(slug, "The request is no HTTP/1.1 that can be answered", CLOSE);
  const body = await response.text();
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${response.status} \r\n${fields}content-length: ${body.length}\r\n\r\n${body}`);
}
